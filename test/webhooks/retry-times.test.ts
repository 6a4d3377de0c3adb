import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { askedDelayMs, maxAttempts, retryDelayMs } from '../../src/webhooks/retry-times.ts'

const hour = 3_600_000
const now = Date.UTC(2026, 0, 1)

/** The waits between all tries of one event, for this luck. */
function waits(random: () => number): number[] {
  return Array.from({ length: maxAttempts - 1 }, (_, index) => retryDelayMs(index + 1, random) ?? 0)
}

describe('The times of retries', () => {
  it('E2 are at least ten over at least 48 hours, the first within ten seconds, with any luck', () => {
    assert.ok(maxAttempts >= 10)
    fc.assert(
      fc.property(fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (luck) => {
        const all = waits(() => luck.next().value)
        assert.ok((all[0] ?? 0) <= 10_000)
        assert.ok(all.every((wait, index) => wait > 0.9 * (all[index - 1] ?? 0)))
        assert.ok(all.reduce((sum, wait) => sum + wait, 0) >= 48 * hour)
      }),
    )
  })

  it('never keep a receiver that came back waiting much longer than an hour', () => {
    assert.ok(Math.max(...waits(() => 0.999)) <= 1.1 * hour)
  })

  it('differ by luck, so that many do not come back as one', () => {
    const early = waits(() => 0)
    const late = waits(() => 0.999)
    for (const [index, wait] of early.entries()) assert.ok(wait < (late[index] ?? 0))
  })

  it('are over after the last try', () => {
    assert.equal(retryDelayMs(maxAttempts), undefined)
  })
})

describe('A Retry-After', () => {
  const asked: [string | null, number][] = [
    [null, 0],
    ['120', 120_000],
    ['0', 0],
    [new Date(now + 90_000).toUTCString(), 90_000],
    [new Date(now - 90_000).toUTCString(), 0],
    ['-5', 0],
    ['soon', 0],
    ['', 0],
    ['999999999', 24 * hour],
  ]
  for (const [text, ms] of asked) {
    it(`of ${JSON.stringify(text)} asks for ${ms} ms`, () => {
      assert.equal(askedDelayMs(text, now), ms)
    })
  }
})
