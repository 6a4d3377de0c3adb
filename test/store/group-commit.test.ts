import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { openStore } from '../../src/store/open-store.ts'
import { openFor, recordingLog, sampleKey } from './engines.ts'
import { acceptance, creation, sampleRecord, sampleSession } from './samples.ts'

describe('Writes of one turn', () => {
  it('become durable together', async (t) => {
    const store = await openFor(t, 'memory')
    const batches: number[] = []
    store.follow((events) => batches.push(events.length))
    const turn = () => Promise.all(Array.from({ length: 20 }, () => store.commit(creation())))
    await turn()
    await turn()
    assert.deepEqual(batches, [20, 20])
  })

  it('do not wait for each other where the turn is long', async (t) => {
    const store = await openFor(t, 'memory')
    const batches: number[] = []
    store.follow((events) => batches.push(events.length))
    const writes: Promise<void>[] = []
    for (let made = 0; made < 300; made += 1) {
      writes.push(store.commit(creation()))
      // As one connection after the other is read.
      await undefined
    }
    await Promise.all(writes)
    assert.deepEqual(batches, [128, 128, 44])
  })

  it('may be of every kind', async (t) => {
    const store = await openFor(t, 'memory')
    const { session, ...first } = creation()
    const record = sampleRecord()
    await Promise.all([
      store.commit({ session, ...first }),
      store.saveIdempotency(record),
      store.writeBookmark('stats', 1, ''),
      store.commit(acceptance(session)),
      store.removeIdempotency(record.key),
    ])
    assert.equal((await store.findSession(session.id))?.version, 2)
    assert.equal(await store.findIdempotency(record.key), undefined)
  })

  it('are not spoiled by one that cannot be stored', async (t) => {
    const store = await openFor(t, 'memory')
    const circular: Record<string, never> = {}
    Object.assign(circular, { circular })
    const good = creation()
    const outcomes = await Promise.allSettled([
      store.commit(creation()),
      store.commit(creation(sampleSession({ metadata: circular }))),
      store.commit(creation(sampleSession({ guestId: undefined as never }))),
      store.commit(good),
    ])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status),
      ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(await store.findSession(good.session.id), good.session)
    assert.equal((await store.journal(0, 10)).length, 2)
    assert.equal(store.trouble(), undefined)
  })

  it('tell the log of a follower that throws', async () => {
    const log = recordingLog()
    await using store = await openStore({
      location: 'memory',
      sync: 'normal',
      key: sampleKey,
      log,
    })
    const fault = new Error('a follower with a fault')
    store.follow(() => {
      throw fault
    })
    await store.commit(creation())
    assert.deepEqual(log.lines, [
      { fields: { err: fault }, text: 'A follower of the journal failed' },
    ])
  })
})

describe('A session that was committed', () => {
  it('cannot be mutated by mistake, which would go unnoticed otherwise', async (t) => {
    const store = await openFor(t, 'memory')
    const { session } = creation()
    await store.commit(creation(session))
    assert.throws(() => {
      session.metadata.late = true
    }, TypeError)
  })
})
