import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Outage } from '../../src/sessions/outage.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { fullestWindow } from '../genesys/support/windows.ts'

const end = { by: 'network', detail: 'connect ECONNREFUSED' } as const

describe('Outage', () => {
  it('lasts from the end of the last stream, whatever connections come to nothing in between', () => {
    const clock = new FakeClock()
    const outage = new Outage(clock, undefined)
    clock.advance(1_000)
    assert.equal(outage.lastsMs, 1_000)
    outage.over()
    clock.advance(60_000)
    outage.begin(end)
    assert.equal(outage.lastsMs, 0)
    clock.advance(5_000)
    outage.begin(end)
    clock.advance(5_000)
    assert.equal(outage.lastsMs, 10_000)
    outage.excuse(4_000)
    assert.equal(outage.lastsMs, 6_000)
  })

  it('waits longer and longer, and begins anew after a connection that held', () => {
    const clock = new FakeClock()
    const outage = new Outage(clock, undefined)
    const longest = () => Math.max(...Array.from({ length: 30 }, () => outage.nextDialMs(0)))
    assert.ok(outage.nextDialMs(0) <= 300)
    assert.ok(longest() > 10_000)
    outage.over()
    clock.advance(9_000)
    outage.begin(end)
    assert.ok(longest() > 10_000, 'it did not hold')
    outage.over()
    clock.advance(10_000)
    outage.begin(end)
    assert.ok(outage.nextDialMs(0) <= 300)
    assert.ok(outage.nextDialMs(20_000) >= 20_000)
  })

  it('dials no more often than the platform takes a guest up, however small its waits are', (t) => {
    t.mock.method(Math, 'random', () => 0)
    const clock = new FakeClock()
    const outage = new Outage(clock, { frames: 60, windowMs: 60_000 })
    const dials: number[] = []
    for (let flaps = 0; flaps < 200; flaps += 1) {
      outage.dialled()
      dials.push(clock.now())
      clock.advance(outage.nextDialMs(0))
    }
    assert.ok(fullestWindow(dials, 60_000) <= 60)
    assert.ok((dials.at(-1) ?? 0) - (dials[0] ?? 0) < 4 * 60_000)
  })

  it('tells why it began, and nothing that the platform said', () => {
    const outage = new Outage(new FakeClock(), undefined)
    assert.equal(outage.reason, 'the gateway was started again')
    outage.over()
    outage.begin({ by: 'platform', code: 4009, reason: 'Ada said enough' })
    assert.equal(outage.reason, 'the platform closed it (4009)')
    outage.begin(end)
    assert.equal(outage.reason, 'the platform closed it (4009)')
    outage.over()
    outage.begin({ by: 'refusal', status: 503, retryAfterMs: null })
    assert.equal(outage.reason, 'the platform refused it (503)')
    outage.over()
    outage.begin(end)
    assert.equal(outage.reason, end.detail)
  })
})
