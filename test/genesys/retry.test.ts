import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backoffMs, retryAfterMs, unsaidPauseMs } from '../../src/genesys/retry.ts'

describe('retryAfterMs', () => {
  const now = Date.UTC(2026, 0, 1, 12, 0, 0)
  const cases: [string, Record<string, string | string[]>, number | undefined][] = [
    ['nothing', {}, undefined],
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['parts of a second', { 'retry-after': ' 0.5 ' }, 500],
    ['the first of two', { 'retry-after': ['3', '4'] }, 3_000],
    ['a date', { 'retry-after': 'Thu, 01 Jan 2026 12:00:10 GMT' }, 10_000],
    ['a date that has passed', { 'retry-after': 'Thu, 01 Jan 2026 11:00:00 GMT' }, 0],
    [
      'a date by the clock of a server that is an hour ahead',
      {
        'retry-after': 'Thu, 01 Jan 2026 13:00:10 GMT',
        date: 'Thu, 01 Jan 2026 13:00:00 GMT',
      },
      10_000,
    ],
    ['a word', { 'retry-after': 'later' }, undefined],
    ['an age', { 'retry-after': '99999999999' }, 86_400_000],
  ]
  for (const [name, headers, ms] of cases) {
    it(`reads ${name} as ${ms} ms`, () => {
      assert.equal(retryAfterMs({ status: 503, headers }, now), ms)
    })
  }

  it("reads the platform's own header where the rate limit is what refused, and nowhere else", () => {
    const headers = { 'inin-ratelimit-reset': '12' }
    assert.equal(retryAfterMs({ status: 429, headers }, now), 12_000)
    assert.equal(retryAfterMs({ status: 503, headers }, now), undefined)
  })
})

describe('backoffMs', () => {
  it('grows, stays below its bound, and is anywhere below it', () => {
    for (let failures = 1; failures < 100; failures++) {
      const bound = Math.min(8_000, 500 * 2 ** (failures - 1))
      const waits = Array.from({ length: 200 }, () =>
        backoffMs({ firstMs: 500, maxMs: 8_000 }, failures),
      )
      assert.ok(waits.every((ms) => ms >= 0 && ms <= bound))
      assert.ok(Math.max(...waits) - Math.min(...waits) > bound / 2)
    }
  })
})

describe('unsaidPauseMs', () => {
  it('is about 3, 9 and 27 s, as the platform recommends', () => {
    for (const [refusals, ms] of [
      [1, 3_000],
      [2, 9_000],
      [3, 27_000],
      [9, 27_000],
    ] as const) {
      const pause = unsaidPauseMs(refusals)
      assert.ok(pause >= 0.75 * ms && pause <= ms, `${pause}`)
    }
  })
})
