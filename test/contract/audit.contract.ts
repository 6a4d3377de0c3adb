/** What every store promises about the audit and about erasure, one case for each promise. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvalidCursor, StoreUnavailable, VersionConflict } from '../../src/store/store.ts'
import { auditedSession, auditOf, exportOf, sampleNote, verdictOn } from '../audit/written.ts'
import { acceptance, creation, sampleRecord, sampleSession, step } from '../store/samples.ts'
import { upTo } from '../support/up-to.ts'
import { type OpenStore, onStore } from './store-under-test.ts'

const eraser = {
  data: () => '{}',
  message: <T>(message: T) => ({ ...message, text: '', attachments: [] }),
}

export function auditContract(engine: string, open: OpenStore): void {
  const on = onStore(open)

  describe(`${engine}: audit`, () => {
    it(
      'keeps what a change says, numbered and chained, in its order',
      on(async (store) => {
        const first = creation()
        const notes = [sampleNote('session_created'), sampleNote('consent_given', { actor: null })]
        await store.commit({ ...first, audit: notes })
        const { items } = await store.audit.list({}, { limit: 10 })
        assert.deepEqual(
          items.map(({ number, action, at, actor, sessionId, details }) => ({
            ...{ number, action, at, actor, sessionId, details },
          })),
          notes.map((note, index) => ({ ...note, number: index + 1, sessionId: first.session.id })),
        )
        assert.deepEqual([items[0]?.previousHash, items[1]?.previousHash], [null, items[0]?.hash])
      }),
    )

    it(
      'chains each session for itself, and numbers them all',
      on(async (store) => {
        const sessions = await Promise.all([auditedSession(store, 5), auditedSession(store, 5)])
        for (const { id } of sessions) {
          const { items } = await store.audit.list({ sessionId: id }, { limit: 10 })
          assert.deepEqual(
            items.map(({ previousHash }) => previousHash),
            [null, ...items.map(({ hash }) => hash).slice(0, -1)],
          )
        }
        const { items } = await store.audit.list({}, { limit: 20 })
        assert.deepEqual(
          items.map(({ number }) => number),
          upTo(10),
        )
        assert.deepEqual(await store.audit.head(), { number: 10, isGenuine: true })
      }),
    )

    it(
      'keeps nothing of a change that is refused',
      on(async (store) => {
        const first = creation()
        await store.commit({ ...first, audit: [sampleNote('session_created')] })
        const late = { ...creation(first.session), audit: [sampleNote('session_created')] }
        await assert.rejects(store.commit(late), VersionConflict)
        const wrong = step(first.session, { audit: [sampleNote('token_rotated')] })
        const twice = [wrong, { ...wrong, expectedVersion: 7 }].map((c) => store.commit(c))
        assert.equal((await Promise.allSettled(twice))[1]?.status, 'rejected')
        assert.deepEqual((await auditOf(store).verify()).checked, 2)
      }),
    )

    it(
      'narrows by session, action and time, page by page',
      on(async (store) => {
        const session = await auditedSession(store, 6)
        await auditedSession(store, 3)
        const filter = { sessionId: session.id, action: 'message_transmitted' } as const
        const found: number[] = []
        for (let cursor: string | undefined | null; cursor !== null; ) {
          const page = await store.audit.list(filter, { limit: 3, cursor })
          found.push(...page.items.map(({ number }) => number))
          cursor = page.nextCursor
        }
        assert.deepEqual(found, [2, 3, 4, 5])
        const { at } = sampleNote('session_created')
        assert.equal((await store.audit.list({ after: at }, { limit: 20 })).items.length, 9)
        assert.equal((await store.audit.list({ after: at + 1 }, { limit: 20 })).items.length, 0)
        assert.equal((await store.audit.list({ before: at }, { limit: 20 })).items.length, 0)
      }),
    )

    it(
      'refuses a cursor of another list',
      on(async (store) => {
        await auditedSession(store, 3)
        const { nextCursor } = await store.audit.list({}, { limit: 1 })
        const other = { limit: 1, cursor: nextCursor ?? '' }
        await assert.rejects(store.audit.list({ action: 'token_rotated' }, other), InvalidCursor)
      }),
    )

    it('goes on where it was after it is opened again', async (t) => {
      const { store, reopen } = await open(t)
      const first = creation()
      await store.commit({ ...first, audit: [sampleNote('session_created')] })
      if (!reopen) return
      const again = await reopen()
      await again.commit(step(first.session, { audit: [sampleNote('session_activated')] }))
      const { items } = await again.audit.list({ sessionId: first.session.id }, { limit: 10 })
      assert.deepEqual([items[1]?.number, items[1]?.previousHash], [2, items[0]?.hash])
      assert.equal((await auditOf(again).verify()).valid, true)
    })
  })

  describe(`${engine}: the retention of the audit`, () => {
    const longAgo = { createdAt: 1000 }

    it(
      'keeps the entries of a session that is removed',
      on(async (store) => {
        const { id } = await auditedSession(store, 4, longAgo)
        assert.equal(await store.removeEndedBefore(10_000, 10), 1)
        const { items } = await store.audit.list({ sessionId: id }, { limit: 10 })
        assert.deepEqual(
          items.map(({ sessionId }) => sessionId),
          [id, id, id, id],
        )
        assert.equal((await auditOf(store).verify()).valid, true)
        assert.equal(verdictOn(Buffer.from(await exportOf(store))).broken, null)
      }),
    )

    it(
      'leaves a signed tombstone of a session whose time has come, and all others alone',
      on(async (store) => {
        const old = await auditedSession(store, 4, longAgo)
        const young = await auditedSession(store, 4)
        const [last] = (await store.audit.list({ sessionId: old.id }, { limit: 10 })).items.slice(
          -1,
        )
        assert.equal(await store.removeAuditBefore(10_000, 10, 20_000), 0, 'the session is there')
        await store.removeEndedBefore(10_000, 10)
        assert.equal(await store.removeAuditBefore(10_000, 10, 20_000), 1)
        assert.equal(await store.removeAuditBefore(10_000, 10, 20_000), 0)

        const { items } = await store.audit.list({}, { limit: 20 })
        assert.deepEqual(
          items.map(({ number }) => number),
          [5, 6, 7, 8, 9],
        )
        const tombstone = items.at(-1)
        assert.deepEqual(
          [tombstone?.action, tombstone?.sessionId, tombstone?.at, tombstone?.previousHash],
          ['audit_removed', old.id, 20_000, last?.hash],
        )
        const { entries, numbers, lastHash, sessionId } = tombstone?.details ?? {}
        assert.deepEqual([entries, numbers, lastHash, sessionId], [4, '1-4', last?.hash, old.id])
        assert.equal(items.filter((entry) => entry.sessionId === young.id).length, 4)
        assert.deepEqual((await auditOf(store).verify()).firstBroken, null)
        assert.equal(verdictOn(Buffer.from(await exportOf(store))).broken, null)
        const alone = await exportOf(store, { sessionId: old.id })
        assert.deepEqual(verdictOn(Buffer.from(alone)), {
          ...verdictOn(Buffer.from(alone)),
          entries: 1,
          broken: null,
        })
      }),
    )

    it(
      'removes a session of any length, a bounded helping at a time',
      on(async (store) => {
        const [long] = await Promise.all([
          auditedSession(store, 700, longAgo),
          auditedSession(store, 300),
        ])
        await store.removeEndedBefore(10_000, 10)
        const removing = store.removeAuditBefore(10_000, 10, 20_000)
        assert.equal((await auditOf(store).verify()).valid, true, 'while it is removed')
        assert.equal(await removing, 1)
        const { items } = await store.audit.list({ sessionId: long.id }, { limit: 200 })
        assert.equal(items.length, 1)
        assert.equal((await auditOf(store).verify()).valid, true)
      }),
    )

    it(
      'tells a tombstone of the gateway from one that was made up',
      on(async (store) => {
        await auditedSession(store, 3, longAgo)
        await store.removeEndedBefore(10_000, 10)
        await store.removeAuditBefore(10_000, 10, 20_000)
        const text = (await exportOf(store)).replace('"entries":3', '"entries":4')
        assert.equal(verdictOn(Buffer.from(text)).broken?.line, 1)
      }),
    )
  })

  describe(`${engine}: erasure`, () => {
    it(
      'rewrites events, messages and keyed requests of the one session',
      on(async (store) => {
        const first = creation()
        const other = creation()
        for (const change of [first, other]) {
          await store.commit(change)
          const key = `shop:${change.session.id}`
          const answer = { status: 201, location: null, body: '{"text":"Hello"}' }
          const record = sampleRecord({ key, sessionId: change.session.id, answer })
          await store.commit({ ...acceptance(change.session), idempotency: record })
        }
        const { id } = first.session
        const session = await store.findSession(id)
        assert.ok(session)
        await store.commit(step(session, { patch: { erasedAt: 5 } }))
        assert.deepEqual(await store.unfinishedErasures(), [id])
        await store.erase(id, eraser)
        await store.erase(id, eraser)

        assert.deepEqual(await store.unfinishedErasures(), [])
        assert.ok((await store.eventsOf(id, 0, 10)).every(({ data }) => data === '{}'))
        const [message] = (await store.listMessages(id, { limit: 10 })).items
        assert.deepEqual([message?.text, message?.attachments], ['', []])
        const record = await store.findIdempotency(`shop:${id}`)
        assert.deepEqual([record?.answer, record?.fingerprint], [null, 'erased'])
        const kept = (await store.listMessages(other.session.id, { limit: 10 })).items[0]
        assert.match(kept?.text ?? '', /Hello/)
        assert.ok((await store.findIdempotency(`shop:${other.session.id}`))?.answer)
      }),
    )

    it(
      'keeps no answer of an erased session that comes late',
      on(async (store) => {
        const first = creation(sampleSession({ erasedAt: 5 }))
        await store.commit(first)
        const answer = { status: 201, location: null, body: '{"text":"Hello"}' }
        await store.saveIdempotency(sampleRecord({ sessionId: first.session.id, answer }))
        assert.equal((await store.findIdempotency(sampleRecord().key))?.answer, null)
      }),
    )

    it(
      'rewrites a session of any length',
      on(async (store) => {
        const first = creation()
        await store.commit(first)
        let { session } = first
        for (let made = 0; made < 450; made += 1) {
          const change = acceptance(session)
          await store.commit(change)
          session = change.session
        }
        await store.erase(session.id, eraser)
        const { items } = await store.listMessages(session.id, { limit: 1000 })
        assert.ok(items.length === 450 && items.every(({ text }) => text === ''))
        const events = await store.eventsOf(session.id, 0, 1000)
        assert.ok(events.length === 451 && events.every(({ data }) => data === '{}'))
      }),
    )

    it(
      'says so when the store is closed',
      on(async (store) => {
        const first = creation()
        await store.commit(first)
        await store[Symbol.asyncDispose]()
        await assert.rejects(store.erase(first.session.id, eraser), StoreUnavailable)
      }),
    )
  })
}
