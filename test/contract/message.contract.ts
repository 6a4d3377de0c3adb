/** What every store promises about messages, and about the keys under which they were asked for. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JournalEvent } from '../../src/sessions/events.ts'
import { accepted, byItself, sent } from '../../src/sessions/steps.ts'
import { receivedTogether } from '../../src/sessions/stream-steps.ts'
import { type Change, InvalidCursor } from '../../src/store/store.ts'
import {
  acceptance,
  creation,
  sampleEvent,
  sampleMessage,
  sampleRecord,
  step,
} from '../store/samples.ts'
import { upTo } from '../support/up-to.ts'
import { allPages, committed, fill, type OpenStore, onStore } from './store-under-test.ts'

export function messageContract(engine: string, open: OpenStore): void {
  const on = onStore(open)

  describe(`${engine}: messages`, () => {
    it(
      'are found in their own session only',
      on(async (store) => {
        const one = await committed(store, creation())
        const two = await committed(store, creation())
        const { messages } = await committed(store, acceptance(one.session))
        const id = messages[0]?.id ?? ''
        assert.deepEqual(await store.findMessage(one.session.id, id), messages[0])
        assert.equal(await store.findMessage(two.session.id, id), undefined)
        assert.equal(await store.findMessage('gs_unknown', id), undefined)
        assert.equal(await store.findMessage(one.session.id, 'msg_unknown'), undefined)
      }),
    )

    it(
      'are replaced whole, at every step of their way and after it',
      on(async (store) => {
        const { session: before } = await committed(store, creation())
        const accepted = await committed(store, acceptance(before))
        let { session } = accepted
        const [first] = accepted.messages
        assert.ok(first)
        const parts = [{ text: 'a', status: 'sent', upstreamId: 'u', sentAt: 5 } as const]
        const lives = [
          first,
          { ...first, status: 'sending', attempts: 1 } as const,
          { ...first, status: 'accepted', attempts: 1, waits: 'session' } as const,
          { ...first, status: 'sent', sentAt: 5, latencyMs: 41, upstreamId: 'u', parts } as const,
          { ...first, status: 'delivered', upstreamStatus: 'Delivered' } as const,
          { ...first, status: 'accepted', acceptedAt: 9, text: 'another text' } as const,
        ]
        for (const message of lives) {
          session = (await committed(store, step(session, { messages: [message] }))).session
          assert.deepEqual(await store.findMessage(session.id, message.id), message)
        }
        assert.equal((await store.listMessages(session.id, { limit: 9 })).items.length, 1)
      }),
    )

    it(
      'come back whole where an event tells them, and when they change after it',
      on(async (store) => {
        let { session } = await committed(store, creation())
        const commit = async (next: Omit<Change, 'expectedVersion'>) => {
          const change = { ...next, expectedVersion: session.version }
          session = (await committed(store, change)).session
          const messages = new Map(change.messages.map((message) => [message.id, message]))
          for (const [id, message] of messages) {
            assert.deepEqual(await store.findMessage(session.id, id), message)
          }
          return change.messages
        }
        const cause = byItself(1_763_000_000_400)
        const waiting = { status: 'accepted', upstreamId: null, sentAt: null } as const
        const parts = ['Grüße', '🙂'].map((text) => ({ text, ...waiting }))
        const [split] = await commit(accepted(session, sampleMessage(session, { parts }), cause))
        const plain = { trace: null, readReceipt: false, attachments: [] }
        const [last] = await commit(accepted(session, sampleMessage(session, plain), cause))
        assert.ok(split && last)
        assert.deepEqual(await store.unsettledMessages(session.id), [split, last])
        const said = { kind: 'message', author: 'agent', text: 'Hello 🙂' } as const
        const facts = { upstreamId: 'u-1', attachments: [], content: null, sentAt: null }
        const rich = { upstreamId: null, attachments: split.attachments, content: { a: [null] } }
        const inbound = [
          { ...said, ...facts },
          { ...said, ...rich, sentAt: 1_763_000_000_123 },
        ]
        const heard = await commit(receivedTogether(session, inbound, cause))
        assert.deepEqual((await store.listMessages(session.id, { limit: 9 })).items, [
          ...[split, last],
          ...heard,
        ])
        await commit(sent(session, { ...split, status: 'sent', sentAt: 5, upstreamId: 'u' }, cause))
        await commit(step(session, { messages: [{ ...last, text: 'another text', trace: null }] }))
        for (const message of heard) {
          await commit(step(session, { messages: [{ ...message, text: 'another text' }] }))
        }
      }),
    )

    it(
      'are listed in order, page by page, both directions',
      on(async (store) => {
        const ordinals = await fill(store, 7)
        const pages = await allPages((page) => store.listMessages(ordinals.id, page), 3)
        assert.deepEqual(
          pages.map((page) => page.map((message) => message.ordinal)),
          [[1, 2, 3], [4, 5, 6], [7]],
        )
        const directions = pages.flat().map((message) => message.direction)
        assert.deepEqual(directions.slice(0, 2), ['outbound', 'inbound'])
      }),
    )

    it(
      'end with a null cursor on a full last page, and when there are none',
      on(async (store) => {
        const { id } = await fill(store, 4)
        const first = await store.listMessages(id, { limit: 2 })
        const cursor = first.nextCursor ?? undefined
        assert.equal((await store.listMessages(id, { limit: 2, cursor })).nextCursor, null)
        const none = await store.listMessages('gs_unknown', { limit: 2 })
        assert.deepEqual(none, { items: [], nextCursor: null })
      }),
    )

    it(
      'are not listed for a cursor of another session or of nobody',
      on(async (store) => {
        const one = await fill(store, 3)
        const two = await fill(store, 3)
        const { nextCursor } = await store.listMessages(one.id, { limit: 1 })
        assert.ok(nextCursor)
        for (const cursor of [nextCursor, 'x', '']) {
          await assert.rejects(store.listMessages(two.id, { limit: 1, cursor }), InvalidCursor)
        }
      }),
    )

    it(
      'are unsettled while accepted and while sending, in order',
      on(async (store) => {
        let { session } = await committed(store, creation())
        const statuses = [
          'accepted',
          'sent',
          'sending',
          'failed',
          'accepted',
          'unconfirmed',
        ] as const
        for (const status of statuses) {
          session = (await committed(store, acceptance(session, { status }))).session
        }
        const unsettled = await store.unsettledMessages(session.id)
        assert.deepEqual(
          unsettled.map((message) => [message.ordinal, message.status]),
          [
            [1, 'accepted'],
            [3, 'sending'],
            [5, 'accepted'],
          ],
        )
        assert.deepEqual(await store.unsettledMessages('gs_unknown'), [])
      }),
    )

    it(
      'stay whole and in order by the thousand',
      on(async (store) => {
        const { id, texts } = await fill(store, 2500)
        const pages = await allPages((page) => store.listMessages(id, page), 200)
        assert.deepEqual(
          pages.flat().map((message) => message.text),
          texts,
        )
        const events: JournalEvent[] = []
        for (;;) {
          const more = await store.eventsOf(id, events.length, 300)
          events.push(...more)
          if (more.length < 300) break
        }
        assert.deepEqual(
          events.map((event) => event.sequence),
          upTo(2501),
        )
      }),
    )
  })

  describe(`${engine}: idempotency records`, () => {
    it(
      'are kept and replaced by key',
      on(async (store) => {
        const one = sampleRecord()
        const two = sampleRecord({ key: 'other:key-1', fingerprint: 'g'.repeat(44) })
        await Promise.all([store.saveIdempotency(one), store.saveIdempotency(two)])
        assert.deepEqual(await store.findIdempotency(one.key), one)
        assert.deepEqual(await store.findIdempotency(two.key), two)

        const answer = { status: 201, location: '/v1/sessions/gs_1', body: '{"id":"gs_1 🙂"}' }
        await store.saveIdempotency({ ...one, answer })
        assert.deepEqual(await store.findIdempotency(one.key), { ...one, answer })
        const other = { ...one, fingerprint: 'h', sessionId: 'gs_2', messageId: 'msg_2' }
        await store.saveIdempotency(other)
        assert.deepEqual(await store.findIdempotency(one.key), other)
        assert.deepEqual(await store.findIdempotency(two.key), two)
      }),
    )

    it(
      'are answered in the commit that settles their message',
      on(async (store) => {
        const { session } = await committed(store, creation())
        const accepted = acceptance(session)
        const record = sampleRecord({ sessionId: session.id })
        await store.commit({ ...accepted, idempotency: record })
        const answer = { status: 201, location: null, body: '{}' }
        const sent = step(accepted.session, { events: [sampleEvent()] })
        await store.commit({ ...sent, idempotency: { ...record, answer } })
        assert.deepEqual(await store.findIdempotency(record.key), { ...record, answer })
      }),
    )

    it(
      'are forgotten when they expire',
      on(async (store) => {
        const expired = sampleRecord({ key: 'shop:old', expiresAt: Date.now() - 1 })
        await store.saveIdempotency(expired)
        assert.equal(await store.findIdempotency(expired.key), undefined)
        const again = sampleRecord({ key: 'shop:old', fingerprint: 'new' })
        await store.saveIdempotency(again)
        assert.deepEqual(await store.findIdempotency(again.key), again)
      }),
    )

    it(
      'are removed by key, and the key is free again',
      on(async (store) => {
        const record = sampleRecord()
        await store.saveIdempotency(record)
        await store.removeIdempotency(record.key)
        await store.removeIdempotency('shop:unknown')
        assert.equal(await store.findIdempotency(record.key), undefined)
        await store.saveIdempotency(record)
        assert.deepEqual(await store.findIdempotency(record.key), record)
      }),
    )
  })
}
