import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { UpstreamError } from '../../src/errors.ts'
import { createQuota, type QuotaLimit } from '../../src/genesys/quota.ts'
import { type DialectName, dialectNames } from '../../src/sessions/session.ts'

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
    await assert.rejects(async () => quota.acquire('conversations', ask()), /used up/)
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
})
