/**
 * What every store promises, one case for each promise of src/store/store.ts. An engine's test calls `storeContract`
 * with the way to open it.
 */
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { JournalEvent, NewEvent } from '../../src/sessions/events.ts'
import type { Session } from '../../src/sessions/session.ts'
import { accepted, byItself, sent } from '../../src/sessions/steps.ts'
import { receivedTogether } from '../../src/sessions/stream-steps.ts'
import {
  type Change,
  InvalidCursor,
  type SessionFilter,
  type Store,
  StoreUnavailable,
  VersionConflict,
} from '../../src/store/store.ts'
import {
  acceptance,
  creation,
  sampleEvent,
  sampleId,
  sampleMessage,
  sampleRecord,
  sampleSession,
  step,
} from '../store/samples.ts'

/** An empty store of its own for one test, which the test need not close. */
export type OpenStore = (t: TestContext) => Promise<{
  store: Store
  /** Closes the store and opens it again on what it kept; undefined for engines that keep nothing. */
  reopen: (() => Promise<Store>) | undefined
}>

export function storeContract(engine: string, open: OpenStore): void {
  const on = (test: (store: Store, t: TestContext) => Promise<void>) => async (t: TestContext) => {
    const { store } = await open(t)
    await test(store, t)
  }

  describe(`${engine}: commit`, () => {
    it(
      'keeps session, events, messages and idempotency record of a change',
      on(async (store) => {
        const first = creation()
        await store.commit(first)
        const change = acceptance(first.session)
        const [message] = change.messages
        const record = sampleRecord({ sessionId: first.session.id, messageId: message?.id ?? null })
        await store.commit({ ...change, idempotency: record })

        assert.deepEqual(await store.findSession(first.session.id), change.session)
        assert.deepEqual(await store.findMessage(first.session.id, message?.id ?? ''), message)
        assert.deepEqual(await store.findIdempotency(record.key), record)
        const events = await store.eventsOf(first.session.id, 0, 10)
        assert.deepEqual(events.map(asGiven), [...first.events, ...change.events].map(asKept))
      }),
    )

    it(
      'keeps sessions in which everything optional is absent',
      on(async (store) => {
        const session = sampleSession({
          conversationId: null,
          region: null,
          consent: null,
          metadata: {},
          origin: null,
          activatedAt: null,
          tokenExpiresAt: null,
          latencyMs: { create: 1, activate: null },
          upstream: {},
          secrets: null,
        })
        await store.commit(creation(session))
        assert.deepEqual(await store.findSession(session.id), session)
      }),
    )

    it(
      'rejects a change made from another version, and keeps nothing of it',
      on(async (store) => {
        const { session } = await committed(store, creation())
        await committed(store, step(session, {}))
        const position = await store.lastPosition()

        const late = acceptance(session)
        const record = sampleRecord({ sessionId: session.id })
        await assert.rejects(store.commit({ ...late, idempotency: record }), VersionConflict)

        assert.equal((await store.findSession(session.id))?.version, 2)
        assert.equal(await store.findMessage(session.id, late.messages[0]?.id ?? ''), undefined)
        assert.equal(await store.findIdempotency(record.key), undefined)
        assert.equal((await store.eventsOf(session.id, 0, 10)).length, 1)
        assert.equal(await store.lastPosition(), position)
      }),
    )

    it(
      'rejects a change of a session that does not exist',
      on(async (store) => {
        await assert.rejects(store.commit(step(sampleSession(), {})), VersionConflict)
      }),
    )

    it(
      'lets the first of two creations of one id win',
      on(async (store) => {
        const session = sampleSession()
        const outcomes = await Promise.allSettled([
          store.commit(creation(session)),
          store.commit(creation({ ...session, guestId: 'guest-2' })),
        ])
        assert.deepEqual(outcomes.map(named), ['kept', 'VersionConflict'])
        assert.equal((await store.findSession(session.id))?.guestId, 'guest-1')
        await assert.rejects(store.commit(creation(session)), VersionConflict)
      }),
    )

    it(
      'lets changes asked for in one turn fail each for itself',
      on(async (store) => {
        const { session } = await committed(store, creation())
        const other = creation()
        const outcomes = await Promise.allSettled([
          store.commit(acceptance(session)),
          store.commit(acceptance(session)),
          store.commit(other),
        ])
        assert.deepEqual(outcomes.map(named), ['kept', 'VersionConflict', 'kept'])
        assert.equal((await store.listMessages(session.id, { limit: 10 })).items.length, 1)
        assert.equal((await store.eventsOf(session.id, 0, 10)).length, 2)
        assert.deepEqual(await store.findSession(other.session.id), other.session)
      }),
    )

    it(
      'applies changes of one session in the order of their calls, without waiting between them',
      on(async (store) => {
        const first = creation()
        const all = [store.commit(first)]
        let session = first.session
        for (let count = 0; count < 50; count += 1) {
          const change = acceptance(session, { text: `message ${count}` })
          all.push(store.commit(change))
          session = change.session
        }
        await Promise.all(all)
        const { items } = await store.listMessages(session.id, { limit: 100 })
        assert.deepEqual(
          items.map((message) => message.text),
          Array.from({ length: 50 }, (_, count) => `message ${count}`),
        )
        assert.deepEqual(await store.findSession(session.id), session)
      }),
    )

    it(
      'gives the events of a session sequences from 1 without gaps, whatever was rejected between',
      on(async (store) => {
        let { session } = await committed(store, creation(sampleSession({ sequence: 2 })))
        for (let count = 0; count < 5; count += 1) {
          const stale = session
          session = (await committed(store, acceptance(session))).session
          await assert.rejects(store.commit(acceptance(stale)), VersionConflict)
          session = (await committed(store, step(session, {}))).session
        }
        const events = await store.eventsOf(session.id, 0, 100)
        assert.deepEqual(
          events.map((event) => event.sequence),
          [1, 2, 3, 4, 5, 6, 7],
        )
        assert.equal(session.sequence, 7)
      }),
    )

    it(
      'refuses a change whose version or sequence does not add up',
      on(async (store) => {
        const { session } = await committed(store, creation())
        const good = acceptance(session)
        for (const wrong of [{ sequence: 9 }, { version: 9 }]) {
          await assert.rejects(store.commit({ ...good, session: { ...good.session, ...wrong } }))
        }
        assert.deepEqual(await store.findSession(session.id), session)
        await store.commit(good)
      }),
    )

    it(
      'notices what changed, however little of the session it is',
      on(async (store) => {
        let { session } = await committed(store, creation(sampleSession({ state: 'pending' })))
        const patches: Partial<Session>[] = [
          { lastActivityAt: 5 },
          { messages: { outbound: 3, inbound: 2, failed: 1 } },
          { state: 'active', activatedAt: 7 },
          { conversationId: 'conversation-2' },
          { metadata: { ...session.metadata, externalSessionId: 'external-2' } },
          { consent: null },
          { stream: { state: 'closed', reconnects: 3 } },
          { upstream: { cursor: 'def' } },
          { secrets: { token: 'fake-other-token' } },
          { tokenExpiresAt: null },
          { state: 'closed', closedAt: 8, closeReason: 'done', secrets: null },
        ]
        for (const patch of patches) {
          session = (await committed(store, step(session, { patch }))).session
          assert.deepEqual(await store.findSession(session.id), session)
        }
      }),
    )
  })

  describe(`${engine}: sessions`, () => {
    it(
      'are undefined when unknown',
      on(async (store) => assert.equal(await store.findSession('gs_unknown'), undefined)),
    )

    it(
      'are given out as copies',
      on(async (store) => {
        const { session } = await committed(store, creation())
        const copy = await store.findSession(session.id)
        const [listed] = (await store.listSessions({}, { limit: 1 })).items
        for (const found of [copy, listed]) {
          assert.ok(found)
          found.state = 'failed'
          found.metadata.botScore = 9
          found.guest.attributes.plan = 'none'
        }
        assert.deepEqual(await store.findSession(session.id), session)
      }),
    )

    it(
      'are listed newest first',
      on(async (store) => {
        const ids = await createAt(store, [3000, 1000, 2000])
        const { items, nextCursor } = await store.listSessions({}, { limit: 10 })
        assert.deepEqual(
          items.map((session) => session.id),
          [ids[0], ids[2], ids[1]],
        )
        assert.equal(nextCursor, null)
      }),
    )

    it(
      'are listed page by page, each once, however many were created in one millisecond',
      on(async (store) => {
        const times = Array.from({ length: 25 }, (_, index) => 1000 + (index % 3))
        const ids = await createAt(store, times)
        const pages = await allPages((page) => store.listSessions({}, page), 4)
        assert.equal(pages.length, 7)
        assert.deepEqual(pages.map((page) => page.length).slice(0, -1), [4, 4, 4, 4, 4, 4])
        const seen = pages.flat()
        assert.deepEqual(seen.map((session) => session.id).sort(), ids.sort())
        const ages = seen.map((session) => session.createdAt)
        assert.deepEqual(
          ages,
          ages.toSorted((a, b) => b - a),
        )
      }),
    )

    it(
      'created while somebody pages do not repeat or hide others',
      on(async (store) => {
        await createAt(store, [1000, 2000, 3000])
        const first = await store.listSessions({}, { limit: 2 })
        await createAt(store, [4000])
        const cursor = first.nextCursor ?? undefined
        const second = await store.listSessions({}, { limit: 2, cursor })
        assert.deepEqual(
          [...first.items, ...second.items].map((session) => session.createdAt),
          [3000, 2000, 1000],
        )
      }),
    )

    it(
      'are filtered by every field, alone and with others',
      on(async (store) => {
        const all: Session[] = []
        for (const state of ['pending', 'active'] as const) {
          for (const dialect of ['external-guests', 'guest-sessions'] as const) {
            for (const number of [1, 2]) {
              all.push(
                sampleSession({
                  state,
                  dialect,
                  guestId: `guest-${number}`,
                  conversationId: number === 1 ? null : 'conversation-2',
                  metadata: number === 1 ? {} : { externalSessionId: 'external-2' },
                  createdAt: 1000 * (all.length + 1),
                }),
              )
            }
          }
        }
        for (const session of all) await store.commit(creation(session))

        const filters: SessionFilter[] = [
          { state: 'pending' },
          { dialect: 'guest-sessions' },
          { guestId: 'guest-2' },
          { conversationId: 'conversation-2' },
          { externalId: 'external-2' },
          { createdAfter: 3000 },
          { createdBefore: 3000 },
          { createdAfter: 2000, createdBefore: 5000 },
          { state: 'active', dialect: 'guest-sessions' },
          { state: 'active', dialect: 'external-guests', guestId: 'guest-2' },
          { state: 'pending', conversationId: 'conversation-2', createdAfter: 3000 },
          { dialect: 'external-guests', externalId: 'external-2', createdBefore: 6000 },
          { guestId: 'guest-1', conversationId: 'conversation-2' },
          { state: 'closed' },
          { state: undefined, guestId: undefined },
        ]
        for (const filter of filters) {
          const pages = await allPages((page) => store.listSessions(filter, page), 2)
          assert.deepEqual(
            pages.flat().map((session) => session.createdAt),
            all
              .filter((session) => matches(session, filter))
              .map((session) => session.createdAt)
              .reverse(),
            JSON.stringify(filter),
          )
        }
      }),
    )

    it(
      'are found under what they became',
      on(async (store) => {
        const session = sampleSession({ state: 'pending', conversationId: null })
        await store.commit(creation(session))
        const patch: Partial<Session> = { state: 'active', conversationId: 'conversation-9' }
        await store.commit(step(session, { patch }))
        const count = async (filter: SessionFilter) =>
          (await store.listSessions(filter, { limit: 9 })).items.length
        assert.equal(await count({ state: 'pending' }), 0)
        assert.equal(await count({ state: 'active' }), 1)
        assert.equal(await count({ conversationId: 'conversation-9' }), 1)
      }),
    )

    it(
      'are not listed for a cursor that was not given out for that list',
      on(async (store) => {
        const ids = await createAt(store, [1000, 2000, 3000])
        const { nextCursor } = await store.listSessions({}, { limit: 1 })
        assert.ok(nextCursor)
        await store.commit(acceptance(await found(store, ids[0])))
        await store.commit(acceptance(await found(store, ids[0])))
        const messages = await store.listMessages(ids[0] ?? '', { limit: 1 })
        const wrong = [
          '',
          'x',
          '%00',
          '0',
          'eyJhIjoxfQ',
          Buffer.from('[1000,1]').toString('base64url'),
          nextCursor.slice(0, -1),
          `${nextCursor}A`,
          `${nextCursor}=`,
          nextCursor.toUpperCase(),
          messages.nextCursor ?? 'none',
        ]
        for (const cursor of wrong) {
          await assert.rejects(store.listSessions({}, { limit: 1, cursor }), InvalidCursor, cursor)
        }
        const other = store.listSessions({ state: 'active' }, { limit: 1, cursor: nextCursor })
        await assert.rejects(other, InvalidCursor)
      }),
    )

    it(
      'are unfinished while pending, and while a message is not settled',
      on(async (store) => {
        const make = async (over: Partial<Session>, status?: 'accepted' | 'sending' | 'sent') => {
          const { session } = await committed(store, creation(sampleSession(over)))
          if (status) await store.commit(acceptance(session, { status }))
          return session.id
        }
        const pending = await make({ state: 'pending' })
        await make({ state: 'active' })
        const accepted = await make({ state: 'active' }, 'accepted')
        await make({ state: 'active' }, 'sent')
        const sending = await make({ state: 'active' }, 'sending')
        await make({ state: 'closed', closedAt: 1 })
        const left = await make({ state: 'closed', closedAt: 1 }, 'accepted')
        const both = await make({ state: 'pending' }, 'accepted')
        assert.deepEqual(await store.unfinishedSessions(), [pending, accepted, sending, left, both])

        const session = await found(store, accepted)
        const [message] = await store.unsettledMessages(accepted)
        assert.ok(message)
        await store.commit(step(session, { messages: [{ ...message, status: 'failed' }] }))
        assert.deepEqual(await store.unfinishedSessions(), [pending, sending, left, both])
      }),
    )
  })

  describe(`${engine}: removal`, () => {
    it(
      'takes sessions that ended before, and nothing else',
      on(async (store) => {
        const ended = (closedAt: number) => sampleSession({ state: 'closed', closedAt })
        const sessions = [
          ended(1000),
          sampleSession({ state: 'expired', closedAt: 1999 }),
          ended(2000),
          sampleSession({ state: 'active' }),
          sampleSession({ state: 'failed', closedAt: 3000 }),
          sampleSession({ state: 'pending' }),
        ]
        for (const session of sessions) await store.commit(creation(session))
        assert.equal(await store.removeEndedBefore(2000, 100), 2)
        assert.equal(await store.removeEndedBefore(2000, 100), 0)
        const left = await store.listSessions({}, { limit: 100 })
        assert.deepEqual(
          new Set(left.items.map((session) => session.id)),
          new Set(sessions.slice(2).map((session) => session.id)),
        )
      }),
    )

    it(
      'takes a limited number at a time',
      on(async (store) => {
        for (let count = 1; count <= 5; count += 1) {
          await store.commit(creation(sampleSession({ state: 'closed', closedAt: count })))
        }
        assert.equal(await store.removeEndedBefore(9, 2), 2)
        assert.equal(await store.removeEndedBefore(9, 0), 0)
        assert.equal(await store.removeEndedBefore(9, 100), 3)
      }),
    )

    it(
      'takes all that is theirs',
      on(async (store) => {
        const gone = sampleSession({ state: 'closed', closedAt: 1000 })
        const kept = sampleSession()
        const key = (session: Session) => `shop:${session.id}`
        for (const session of [gone, kept]) {
          await store.commit(creation(session))
          const record = sampleRecord({ key: key(session), sessionId: session.id })
          await store.commit({ ...acceptance(session), idempotency: record })
        }
        assert.equal(await store.removeEndedBefore(2000, 100), 1)

        assert.equal(await store.findSession(gone.id), undefined)
        assert.deepEqual((await store.listMessages(gone.id, { limit: 9 })).items, [])
        assert.deepEqual(await store.unsettledMessages(gone.id), [])
        assert.deepEqual(await store.eventsOf(gone.id, 0, 9), [])
        assert.equal(await store.findIdempotency(key(gone)), undefined)
        assert.deepEqual(await store.unfinishedSessions(), [kept.id])
        const journal = await store.journal(0, 100)
        assert.deepEqual(new Set(journal.map((event) => event.sessionId)), new Set([kept.id]))

        assert.equal((await store.listMessages(kept.id, { limit: 9 })).items.length, 1)
        assert.equal((await store.eventsOf(kept.id, 0, 9)).length, 2)
        assert.ok(await store.findIdempotency(key(kept)))
      }),
    )

    it(
      'takes sessions of any length whole',
      on(async (store) => {
        let { session } = await committed(store, creation())
        const all: Promise<void>[] = []
        for (let count = 0; count < 1500; count += 1) {
          const change = acceptance(session, { status: 'sent' })
          all.push(store.commit(change))
          session = change.session
        }
        await Promise.all(all)
        await store.commit(step(session, { patch: { state: 'closed', closedAt: 1000 } }))
        assert.equal(await store.removeEndedBefore(2000, 10), 1)
        assert.deepEqual(await store.journal(0, 10), [])
        assert.deepEqual((await store.listMessages(session.id, { limit: 9 })).items, [])
      }),
    )

    it(
      'ends what can be done to a session',
      on(async (store) => {
        const session = sampleSession({ state: 'closed', closedAt: 1000 })
        await store.commit(creation(session))
        await store.removeEndedBefore(2000, 100)
        await assert.rejects(store.commit(step(session, {})), VersionConflict)
      }),
    )

    it('never turns positions back, not even over a restart', async (t) => {
      const { store, reopen } = await open(t)
      await store.commit(creation(sampleSession({ state: 'closed', closedAt: 1000 })))
      const position = await store.lastPosition()
      await store.removeEndedBefore(2000, 100)
      const later = (await reopen?.()) ?? store
      await later.commit(creation())
      assert.ok((await later.lastPosition()) > position)
    })
  })

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
          Array.from({ length: 2501 }, (_, index) => index + 1),
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

  describe(`${engine}: journal`, () => {
    it(
      'is empty at first, and at position 0',
      on(async (store) => {
        assert.deepEqual(await store.journal(0, 10), [])
        assert.equal(await store.lastPosition(), 0)
        assert.deepEqual(await store.eventsOf('gs_unknown', 0, 10), [])
      }),
    )

    it(
      'says where an event stands, and that one is not kept',
      on(async (store) => {
        await fill(store, 6)
        await fill(store, 4)
        const events = await store.journal(0, 100)
        for (const { id, position } of events) {
          assert.equal(await store.positionOf(id), position)
        }
        assert.equal(await store.positionOf('evt_00000000-0000-7000-8000-000000000000'), undefined)
      }),
    )

    it(
      'gives the events of one session after a sequence',
      on(async (store) => {
        const { id } = await fill(store, 6)
        await fill(store, 2)
        const sequences = async (after: number, limit: number) =>
          (await store.eventsOf(id, after, limit)).map((event) => event.sequence)
        assert.deepEqual(await sequences(0, 3), [1, 2, 3])
        assert.deepEqual(await sequences(3, 100), [4, 5, 6, 7])
        assert.deepEqual(await sequences(7, 100), [])
      }),
    )

    it(
      'gives the events of all sessions in commit order, with growing positions',
      on(async (store) => {
        let one = (await committed(store, creation())).session
        let two = (await committed(store, creation())).session
        for (let count = 0; count < 3; count += 1) {
          one = (await committed(store, acceptance(one))).session
          two = (await committed(store, acceptance(two))).session
        }
        const all = await store.journal(0, 100)
        assert.deepEqual(
          all.map((event) => event.sessionId),
          [one, two, one, two, one, two, one, two].map((session) => session.id),
        )
        const positions = all.map((event) => event.position)
        assert.ok(positions.every((position, at) => position > (positions[at - 1] ?? 0)))
        assert.equal(await store.lastPosition(), positions.at(-1))
        assert.deepEqual(await store.journal(positions[2] ?? 0, 2), all.slice(3, 5))
        assert.deepEqual(await store.journal(positions.at(-1) ?? 0, 10), [])
      }),
    )
  })

  describe(`${engine}: followers`, () => {
    it(
      'hear of events in journal order, before the commit resolves',
      on(async (store) => {
        const heard: JournalEvent[] = []
        store.follow((events) => heard.push(...events))
        const one = creation()
        const two = creation(sampleSession({ sequence: 2 }))
        const heardWhenResolved: number[] = []
        await Promise.all(
          [one, two].map(async (change) => {
            await store.commit(change)
            heardWhenResolved.push(heard.length)
          }),
        )
        assert.deepEqual(heardWhenResolved, [3, 3])
        assert.deepEqual(heard, await store.journal(0, 10))
        await store.commit(step(one.session, {}))
        assert.equal(heard.length, 3)
      }),
    )

    it(
      'find what they hear of in the store',
      on(async (store) => {
        const found: Promise<unknown>[] = []
        store.follow((events) => {
          for (const event of events) found.push(store.findSession(event.sessionId))
        })
        const { session } = await committed(store, creation())
        assert.deepEqual(await Promise.all(found), [session])
      }),
    )

    it(
      'hear nothing of what was rejected',
      on(async (store) => {
        const { session } = await committed(store, creation())
        let heard = 0
        store.follow((events) => {
          heard += events.length
        })
        await assert.rejects(store.commit(creation(session)), VersionConflict)
        assert.equal(heard, 0)
      }),
    )

    it(
      'stop when they ask to, and only they',
      on(async (store) => {
        const heard: string[] = []
        const listener = (name: string) => () => {
          heard.push(name)
        }
        const stop = store.follow(listener('one'))
        store.follow(listener('two'))
        await store.commit(creation())
        stop()
        stop()
        await store.commit(creation())
        assert.deepEqual(heard, ['one', 'two', 'two'])
      }),
    )

    it(
      'that throw harm neither the commit nor other followers',
      on(async (store) => {
        let heard = 0
        store.follow(() => {
          throw new Error('a follower with a fault')
        })
        store.follow((events) => {
          heard += events.length
        })
        await store.commit(creation())
        await store.commit(creation())
        assert.equal(heard, 2)
      }),
    )

    it(
      'may commit themselves',
      on(async (store) => {
        const first = creation()
        const answered = Promise.withResolvers<void>()
        const stop = store.follow(() => {
          stop()
          store.commit(acceptance(first.session)).then(answered.resolve, answered.reject)
        })
        await store.commit(first)
        await answered.promise
        assert.equal((await store.findSession(first.session.id))?.version, 2)
      }),
    )
  })

  describe(`${engine}: tallies`, () => {
    it(
      'keeps the count of a name and slot as it was when it was written, and forgets older slots',
      on(async (store) => {
        const write = (name: string, slot: number, count: () => number, forgetBefore = 0) =>
          store.writeTally({ name, slot }, count, forgetBefore)
        let count = 1
        const writing = write('calls', 250, () => count)
        count = 2
        await writing
        await write('calls', 500, () => 3)
        await write('other', 250, () => 4)
        await write('calls', 750, () => 5, 500)

        assert.deepEqual(await store.tallies(), [
          { name: 'calls', slot: 500, count: 3 },
          { name: 'calls', slot: 750, count: 5 },
          { name: 'other', slot: 250, count: 4 },
        ])
      }),
    )
  })

  describe(`${engine}: bookmarks`, () => {
    it(
      'are undefined until written, and then the last one written',
      on(async (store) => {
        assert.equal(await store.readBookmark('stats'), undefined)
        await store.writeBookmark('stats', 7, '{"a":1}')
        await store.writeBookmark('webhooks', 1, '')
        await store.writeBookmark('stats', 9, '{"a":2}')
        assert.deepEqual(await store.readBookmark('stats'), { position: 9, state: '{"a":2}' })
        assert.deepEqual(await store.readBookmark('webhooks'), { position: 1, state: '' })
      }),
    )

    it(
      'are undefined again once removed, as if there had been none',
      on(async (store) => {
        await store.writeBookmark('stats', 7, '{"a":1}')
        await store.writeBookmark('webhooks', 1, '')
        await store.removeBookmark('stats')
        await store.removeBookmark('stats')
        assert.equal(await store.readBookmark('stats'), undefined)
        assert.deepEqual(await store.readBookmark('webhooks'), { position: 1, state: '' })
      }),
    )
  })

  describe(`${engine}: derived keys`, () => {
    it(
      'are 32 bytes, the same for one purpose and others for another',
      on(async (store) => {
        const key = store.deriveKey('stream tokens')
        assert.equal(key.length, 32)
        assert.deepEqual(store.deriveKey('stream tokens'), key)
        assert.notDeepEqual(store.deriveKey('audit'), key)
      }),
    )
  })

  describe(`${engine}: the end`, () => {
    it(
      'has no trouble while all is well',
      on(async (store) => {
        await store.commit(creation())
        assert.equal(store.trouble(), undefined)
      }),
    )

    it(
      'keeps what was asked for before, and is unavailable after',
      on(async (store) => {
        const change = creation()
        const asked = store.commit(change)
        await store[Symbol.asyncDispose]()
        await asked
        await assert.rejects(store.commit(creation()), StoreUnavailable)
        await assert.rejects(store.saveIdempotency(sampleRecord()), StoreUnavailable)
        await assert.rejects(store.writeBookmark('stats', 1, ''), StoreUnavailable)
        await assert.rejects(store.findSession(change.session.id), StoreUnavailable)
        await assert.rejects(store.journal(0, 1), StoreUnavailable)
        assert.ok(store.trouble())
      }),
    )

    it(
      'may come twice',
      on(async (store) => {
        await store.commit(creation())
        await Promise.all([store[Symbol.asyncDispose](), store[Symbol.asyncDispose]()])
        await store[Symbol.asyncDispose]()
      }),
    )

    it('is not the end of what was kept, where the engine keeps anything', async (t) => {
      const { store, reopen } = await open(t)
      const { session } = await committed(store, creation(sampleSession({ state: 'pending' })))
      const change = acceptance(session)
      const record = sampleRecord({ sessionId: session.id })
      await store.commit({ ...change, idempotency: record })
      await createAt(store, [1000, 2000])
      await store.writeBookmark('stats', 2, 'state')
      const journal = await store.journal(0, 100)
      const derived = store.deriveKey('stream tokens')
      const { nextCursor } = await store.listSessions({}, { limit: 1 })
      if (!reopen) return

      const again = await reopen()
      assert.deepEqual(await again.findSession(session.id), change.session)
      assert.deepEqual(await again.unsettledMessages(session.id), change.messages)
      assert.deepEqual(await again.findIdempotency(record.key), record)
      assert.deepEqual(await again.unfinishedSessions(), [session.id])
      assert.deepEqual(await again.readBookmark('stats'), { position: 2, state: 'state' })
      assert.deepEqual(await again.journal(0, 100), journal)
      assert.deepEqual(again.deriveKey('stream tokens'), derived)
      const cursor = nextCursor ?? undefined
      assert.equal((await again.listSessions({}, { limit: 9, cursor })).items.length, 2)

      await assert.rejects(again.commit(acceptance(session)), VersionConflict)
      await again.commit(acceptance(change.session))
      const events = await again.eventsOf(session.id, 0, 10)
      assert.deepEqual(
        events.map((event) => event.sequence),
        [1, 2, 3],
      )
      assert.ok((events[2]?.position ?? 0) > (journal.at(-1)?.position ?? 0))
    })
  })
}

async function committed(store: Store, change: Change): Promise<Change> {
  await store.commit(change)
  return change
}

async function found(store: Store, id: string | undefined): Promise<Session> {
  const session = await store.findSession(id ?? '')
  assert.ok(session)
  return session
}

/** Creates a session at each time; returns their ids. */
async function createAt(store: Store, times: number[]): Promise<string[]> {
  const sessions = times.map((createdAt) => sampleSession({ createdAt }))
  for (const session of sessions) await store.commit(creation(session))
  return sessions.map((session) => session.id)
}

/** Creates a session with as many settled messages, by turns in both directions. */
async function fill(store: Store, count: number): Promise<{ id: string; texts: string[] }> {
  const first = creation()
  const all = [store.commit(first)]
  const texts: string[] = []
  let { session } = first
  for (let ordinal = 1; ordinal <= count; ordinal += 1) {
    const isInbound = ordinal % 2 === 0
    const text = `text ${ordinal} of ${sampleId('msg')}`
    const change = acceptance(session, {
      text,
      status: isInbound ? 'delivered' : 'sent',
      direction: isInbound ? 'inbound' : 'outbound',
    })
    texts.push(text)
    all.push(store.commit(change))
    session = change.session
  }
  await Promise.all(all)
  return { id: session.id, texts }
}

/** The items of each page, until the cursor is null. */
async function allPages<T>(
  read: (page: {
    limit: number
    cursor?: string | undefined
  }) => Promise<{ items: T[]; nextCursor: string | null }>,
  limit: number,
): Promise<T[][]> {
  const pages: T[][] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await read({ limit, cursor })
    pages.push(items)
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return pages
}

function matches(session: Session, filter: SessionFilter): boolean {
  const { state, dialect, guestId, conversationId, externalId, createdAfter, createdBefore } =
    filter
  const same = (asked: unknown, is: unknown) => asked === undefined || asked === is
  return (
    same(state, session.state) &&
    same(dialect, session.dialect) &&
    same(guestId, session.guestId) &&
    same(conversationId, session.conversationId) &&
    same(externalId, session.metadata.externalSessionId) &&
    session.createdAt >= (createdAfter ?? 0) &&
    session.createdAt < (createdBefore ?? Number.POSITIVE_INFINITY)
  )
}

function asGiven({ sessionId, sequence, position, ...event }: JournalEvent) {
  return event
}

/** What it tells of a message is not read with it. */
function asKept({ tells, ...event }: NewEvent) {
  return event
}

function named(outcome: PromiseSettledResult<void>): string {
  return outcome.status === 'fulfilled' ? 'kept' : outcome.reason.name
}
