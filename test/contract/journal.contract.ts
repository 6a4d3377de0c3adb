/** What every store promises about the events of its journal and those who follow them. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { JournalEvent } from '../../src/sessions/events.ts'
import { VersionConflict } from '../../src/store/store.ts'
import { acceptance, creation, sampleSession, step } from '../store/samples.ts'
import { committed, fill, type OpenStore, onStore } from './store-under-test.ts'

export function journalContract(engine: string, open: OpenStore): void {
  const on = onStore(open)

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
}
