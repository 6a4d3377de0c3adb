/** What every store promises about changes, the little it keeps beside them, and its end. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JournalEvent, NewEvent } from '../../src/sessions/events.ts'
import type { Session } from '../../src/sessions/session.ts'
import { StoreUnavailable, VersionConflict } from '../../src/store/store.ts'
import { acceptance, creation, sampleRecord, sampleSession, step } from '../store/samples.ts'
import { committed, createAt, type OpenStore, onStore } from './store-under-test.ts'

export function storeContract(engine: string, open: OpenStore): void {
  const on = onStore(open)

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
