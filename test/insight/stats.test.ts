import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Stats } from '../../src/insight/stats.ts'
import { created } from '../../src/sessions/steps.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { openFor } from '../store/engines.ts'
import { sampleSession } from '../store/samples.ts'

describe('the stats', () => {
  it('note how far they caught up, though nothing happens after', async (t) => {
    const store = await openFor(t, 'memory')
    const cause = { at: Date.now(), actor: null, trace: null }
    const step = created(sampleSession({ version: 0, sequence: 0 }), cause)
    await store.commit({ ...step, expectedVersion: 0 })
    const position = await store.lastPosition()
    const clock = new FakeClock()
    const stats = await Stats.open(store, clock)
    clock.advance(5000)
    await stats[Symbol.asyncDispose]()
    assert.equal((await store.readBookmark('stats'))?.position, position)
    const again = await Stats.open(store, clock)
    assert.deepEqual(again.read(), stats.read())
    assert.equal(again.read().sessions.total, 1)
    await again[Symbol.asyncDispose]()
  })
})
