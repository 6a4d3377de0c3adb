/** What every store promises about sessions: found, listed, and removed once they are old. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Session } from '../../src/sessions/session.ts'
import { InvalidCursor, type SessionFilter, VersionConflict } from '../../src/store/store.ts'
import { acceptance, creation, sampleRecord, sampleSession, step } from '../store/samples.ts'
import {
  allPages,
  committed,
  createAt,
  found,
  type OpenStore,
  onStore,
} from './store-under-test.ts'

export function sessionContract(engine: string, open: OpenStore): void {
  const on = onStore(open)

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
