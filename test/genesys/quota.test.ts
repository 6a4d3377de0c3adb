import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { UpstreamError } from '../../src/errors.ts'
import { type Departed, type DepartureBook, Departures } from '../../src/genesys/departures.ts'
import { createQuota, type QuotaLimit } from '../../src/genesys/quota.ts'
import { type DialectName, dialectNames } from '../../src/sessions/session.ts'
import { FakeClock } from './support/fake-clock.ts'

function limits(fields: Partial<Record<DialectName, QuotaLimit>>): Record<DialectName, QuotaLimit> {
  const off = Object.fromEntries(dialectNames.map((name) => [name, 'off' as const]))
  return { ...(off as Record<DialectName, QuotaLimit>), ...fields }
}

const ask = (fields = {}) => ({
  priority: 'message' as const,
  deadline: Date.now() + 1_000,
  ...fields,
})

describe('createQuota', () => {
  const perMinute = { limit: 2, windowMs: 60_000 }

  it('counts dialects with the same limit together, as the platform counts the client (R1)', async () => {
    const quota = createQuota({
      client: 'c1',
      clock: systemClock,
      limits: limits({
        'external-guests': perMinute,
        'guest-sessions': { ...perMinute },
        conversations: { limit: 5, windowMs: 1_000 },
      }),
    })
    await quota.acquire('external-guests', ask())
    await quota.acquire('guest-sessions', ask())
    await assert.rejects(async () => quota.acquire('external-guests', ask()), UpstreamError)
    await quota.acquire('conversations', ask())
    await quota.acquire('web-messaging', ask())
    assert.deepEqual(quota.snapshot(), [
      {
        client: 'c1',
        dialects: ['external-guests', 'guest-sessions'],
        limit: 2,
        windowSeconds: 60,
        used: 2,
        queued: 0,
        pausedUntil: null,
      },
      {
        client: 'c1',
        dialects: ['conversations'],
        limit: 5,
        windowSeconds: 1,
        used: 1,
        queued: 0,
        pausedUntil: null,
      },
    ])
  })

  it('bounds the line of all its windows together (R2)', async () => {
    const quota = createQuota({
      client: 'c1',
      clock: systemClock,
      maxQueued: 2,
      limits: limits({
        'external-guests': { limit: 1, windowMs: 500 },
        conversations: { limit: 1, windowMs: 400 },
      }),
    })
    for (const dialect of ['external-guests', 'conversations'] as const) {
      ;(await quota.acquire(dialect, ask()))(true)
    }
    const waiting = (['external-guests', 'conversations'] as const).map(async (dialect) =>
      quota.acquire(dialect, ask()),
    )
    await assert.rejects(async () => quota.acquire('conversations', ask()), /no place/)
    for (const release of await Promise.all(waiting)) release(false)
  })

  it('pauses every window, those opened later included', async () => {
    const quota = createQuota({
      client: 'c1',
      clock: systemClock,
      limits: limits({ 'external-guests': perMinute }),
    })
    await quota.acquire('external-guests', ask())
    const until = Date.now() + 60_000
    quota.pause(until)
    for (const dialect of dialectNames) {
      await assert.rejects(async () => quota.acquire(dialect, ask()), { code: 'rate-limited' })
      assert.ok(quota.outlook(dialect, 'message').waitMs > 59_000)
    }
    assert.equal(quota.snapshot()[0]?.pausedUntil, until)
  })

  it('tells what is left, callers in line counted', async () => {
    const quota = createQuota({
      client: 'c1',
      clock: systemClock,
      limits: limits({ 'external-guests': { limit: 2, windowMs: 300 } }),
    })
    const remaining = () => quota.outlook('external-guests', 'message').remaining
    assert.equal(remaining(), 2)
    const releases = [
      await quota.acquire('external-guests', ask()),
      await quota.acquire('external-guests', ask()),
    ]
    const waiting = quota.acquire('external-guests', ask())
    assert.equal(remaining(), -1)
    for (const release of releases) release(true)
    ;(await waiting)(false)
    quota.close(new Error('over'))
  })

  it('counts on from what an earlier process left in its book (R1)', async () => {
    const clock = new FakeClock(1_000_000)
    const earlier = (from: number, count: number, fields = {}): Departed => {
      return { client: 'c1', dialect: 'external-guests', from, count, ...fields }
    }
    const quota = createQuota({
      client: 'c1',
      clock,
      callMs: 1_000,
      limits: limits({
        'external-guests': { limit: 5, windowMs: 10_000 },
        conversations: { limit: 5, windowMs: 10_000 },
        'guest-sessions': { limit: 1, windowMs: 1_000 },
      }),
      departures: {
        earlier: [
          earlier(980_000, 5),
          earlier(992_000, 2),
          earlier(999_750, 1, { dialect: 'conversations' }),
          earlier(999_750, 1, { client: 'c2' }),
          earlier(999_750, 1, { dialect: 'messaging-guests' }),
        ],
        write: () => Promise.resolve(),
      },
    })
    const left = () => quota.outlook('external-guests', 'message')
    assert.deepEqual(left(), { waitMs: 0, remaining: 2 })
    assert.equal(quota.outlook('guest-sessions', 'message').remaining, 1)
    for (const release of [await quota.acquire('external-guests', ask({ deadline: 2_000_000 }))]) {
      release(true)
    }
    const last = await quota.acquire('external-guests', ask({ deadline: 2_000_000 }))
    last(true)

    // Those of 992,000 were over at 993,250 at the latest, that of 999,750 when the process started.
    assert.deepEqual(left(), { waitMs: 3_250, remaining: 0 })
    await clock.advance(3_250)
    assert.equal(left().remaining, 2)
    await clock.advance(6_750)
    assert.equal(left().remaining, 3)
    await clock.advance(10)
    assert.equal(left().remaining, 5)
  })

  it('keeps places for the calls that count longest where a book has more than the limit (R1)', async () => {
    const clock = new FakeClock(1_000_000)
    const departed = (from: number, count: number): Departed => {
      return { client: 'c1', dialect: 'external-guests', from, count }
    }
    const quota = createQuota({
      client: 'c1',
      clock,
      callMs: 10_000,
      limits: limits({ 'external-guests': { limit: 5, windowMs: 5_000 } }),
      // Two windows' worth: each call may have been under way for long, so all of them still count.
      departures: {
        earlier: [departed(987_750, 2), departed(988_750, 3), departed(997_000, 5)],
        write: () => Promise.resolve(),
      },
    })
    const left = () => quota.outlook('external-guests', 'message')
    assert.deepEqual(left(), { waitMs: 5_000, remaining: 0 })
    await clock.advance(4_990)
    assert.equal(left().remaining, 0)
    await clock.advance(20)
    assert.equal(left().remaining, 5)
  })

  it('notes what is about to leave, many in one write, each before its bytes (R1)', async () => {
    const clock = new FakeClock(1_000_100)
    const asked: (() => number)[] = []
    const durable: (() => void)[] = []
    const slices: unknown[] = []
    const quota = createQuota({
      client: 'c1',
      clock,
      callMs: 1_000,
      limits: limits({ 'external-guests': { limit: 5, windowMs: 10_000 } }),
      departures: {
        earlier: [],
        write: (slice, count, forgetBefore) => {
          slices.push({ ...slice, forgetBefore })
          asked.push(count)
          return new Promise((resolve) => durable.push(resolve))
        },
      },
    })
    assert.equal(quota.note('conversations'), undefined)
    const two = [quota.note('external-guests'), quota.note('external-guests')]
    assert.equal(slices.length, 1)
    assert.equal(asked[0]?.(), 2)
    const third = quota.note('external-guests')
    assert.equal(asked.length, 2)
    assert.equal(asked[1]?.(), 3)
    await clock.advance(250)
    const fourth = quota.note('external-guests')
    assert.equal(asked[2]?.(), 1)
    for (const resolve of durable) resolve()
    await Promise.all([...two, third, fourth])
    const slice = { client: 'c1', dialect: 'external-guests' }
    assert.deepEqual(slices, [
      { ...slice, from: 1_000_000, forgetBefore: 988_850 },
      { ...slice, from: 1_000_000, forgetBefore: 988_850 },
      { ...slice, from: 1_000_250, forgetBefore: 989_100 },
    ])
  })

  it('counts on in the newest slice when the clock is set back (R1)', async () => {
    let now = 1_000_250
    const clock = { ...systemClock, now: () => now }
    const written: [number, number][] = []
    const book: DepartureBook = {
      earlier: [],
      write: async ({ from }, count) => {
        await Promise.resolve()
        written.push([from, count()])
      },
    }
    const departures = new Departures('c1', book, clock)
    await departures.note('external-guests', 10_000)
    now = 1_000_100
    await departures.note('external-guests', 10_000)
    assert.deepEqual(written, [
      [1_000_250, 1],
      [1_000_250, 2],
    ])
  })
})
