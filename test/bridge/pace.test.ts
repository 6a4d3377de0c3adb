import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Pace } from '../../src/sessions/pace.ts'
import { fullestWindow } from '../genesys/support/windows.ts'
import { Dice } from '../support/dice.ts'

const perSecond = { frames: 5, windowMs: 1_000 }
const perMinute = { frames: 60, windowMs: 60_000 }

describe('Pace', () => {
  it('lets the first frame go at once', () => {
    assert.equal(new Pace([perSecond], 100).waitMs(5), 0)
  })

  it('keeps frames the least distance apart (G7)', () => {
    const pace = new Pace([], 100)
    pace.sent(1_000)
    assert.equal(pace.waitMs(1_000), 100)
    assert.equal(pace.waitMs(1_040), 60)
    assert.equal(pace.waitMs(1_100), 0)
  })

  it('lets a burst go up to the limit, then waits until the first is out of the window', () => {
    const pace = new Pace([perSecond], 0)
    for (let at = 0; at < 5; at += 1) {
      assert.equal(pace.waitMs(at), 0)
      pace.sent(at)
    }
    assert.equal(pace.waitMs(10), 991)
    assert.equal(pace.waitMs(1_001), 0)
  })

  it('obeys a pause, and the longest of two', () => {
    const pace = new Pace([], 0)
    pace.pauseUntil(5_000)
    pace.pauseUntil(3_000)
    assert.equal(pace.waitMs(1_000), 4_000)
    assert.equal(pace.waitMs(5_000), 0)
  })

  it('counts a frame from when the platform is known to have had it', () => {
    const pace = new Pace([{ frames: 1, windowMs: 1_000 }], 0)
    const departure = pace.sent(0)
    departure.seen(400)
    assert.equal(pace.waitMs(1_001), 400)
    assert.equal(pace.waitMs(1_401), 0)
  })

  it('fits no more than the limits into any window of the platform, however long frames travel', () => {
    const dice = new Dice('travel')
    const pace = new Pace([perSecond, perMinute], 100)
    const arrivals: number[] = []
    for (let now = 0; arrivals.length < 300; now += 1) {
      if (pace.waitMs(now) > 0) continue
      // Sometimes the network stalls: the frame arrives late, and so does its ack.
      const travelMs = dice.fraction() < 0.1 ? dice.between(100, 900) : dice.between(0, 20)
      const departure = pace.sent(now)
      arrivals.push(now + travelMs)
      now += travelMs + dice.between(0, 20)
      departure.seen(now)
    }
    assert.ok(fullestWindow(arrivals, 1_000) <= 5)
    assert.ok(fullestWindow(arrivals, 60_000) <= 60)
    // And the quota is used: 300 frames of 60 a minute take four full windows and what is left over.
    assert.ok((arrivals.at(-1) ?? 0) < 5 * 61_500)
  })
})
