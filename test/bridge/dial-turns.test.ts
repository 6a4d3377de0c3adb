import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DialTurns } from '../../src/sessions/dial-turns.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { fullestWindow } from '../genesys/support/windows.ts'
import { pass } from './support/moving-time.ts'

describe('DialTurns', () => {
  it('is everybody’s turn at once where there is no limit', async () => {
    const turns = new DialTurns(new FakeClock(), undefined)
    const waited = await Promise.all(Array.from({ length: 100 }, () => turns.next(() => true)))
    assert.ok(waited.every((ms) => ms === 0))
  })

  it('lets nobody dial more often than the limit, first come first', async () => {
    const clock = new FakeClock(0)
    const turns = new DialTurns(clock, { dials: 10, windowMs: 1_000 })
    const dials: { who: number; at: number }[] = []
    for (let who = 0; who < 45; who += 1) {
      void turns.next(() => true).then(() => dials.push({ who, at: clock.now() }))
    }
    await pass(clock, 6_000, 50)
    assert.deepEqual(
      dials.map(({ who }) => who),
      Array.from({ length: 45 }, (_, at) => at),
    )
    const times = dials.map(({ at }) => at)
    assert.ok(fullestWindow(times, 1_000) <= 10)
    assert.ok((times.at(-1) ?? 0) <= 4_300, 'and wastes no time')
  })

  it('gives no turn to those who went away', async () => {
    const clock = new FakeClock(0)
    const turns = new DialTurns(clock, { dials: 1, windowMs: 1_000 })
    await turns.next(() => true)
    let wanted = true
    const gone = turns.next(() => wanted)
    const stays = turns.next(() => true)
    wanted = false
    await pass(clock, 1_100, 50)
    await gone
    assert.ok((await stays) <= 1_100)
  })
})
