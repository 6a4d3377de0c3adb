import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Quotas } from '../../src/simulator/quota.ts'
import { signIn, startTestSimulator } from './support.ts'

const limits = { rateLimit: { limit: 3, windowMs: 60_000 }, rateLimits: {} }

describe('the quota', () => {
  it('R1 slides: a request is allowed when fewer than the limit came in the window before it', () => {
    const quotas = new Quotas()
    const ask = (at: number) => quotas.count('a', 'any', limits, at)?.allowed

    assert.deepEqual([ask(0), ask(30_000), ask(59_000), ask(59_999)], [true, true, true, false])
    // The refused one counted: 30 000, 59 000 and 59 999 fill the window, and so does each new refusal.
    assert.deepEqual([ask(89_999), ask(118_999)], [false, false])
    assert.equal(ask(119_999), true)
  })

  it('R1 tells when to come back, and that is when it lets in', () => {
    const quotas = new Quotas()
    for (const at of [0, 10, 20]) quotas.count('a', 'any', limits, at)

    const refused = quotas.count('a', 'any', limits, 30)

    assert.equal(refused?.retryAfterMs, 59_980)
    assert.equal(quotas.count('a', 'any', limits, 30 + 59_980)?.allowed, true)
  })

  it('counts each client by itself', () => {
    const quotas = new Quotas()
    for (const at of [0, 1, 2]) quotas.count('a', 'any', limits, at)

    assert.equal(quotas.count('a', 'any', limits, 3)?.allowed, false)
    assert.equal(quotas.count('b', 'any', limits, 3)?.allowed, true)
  })

  it('lets a surface count by itself, and nothing count when it is off', () => {
    const quotas = new Quotas()
    const own = { ...limits, rateLimits: { busy: { limit: 100, windowMs: 1_000 } } }
    for (const at of [0, 1, 2]) quotas.count('a', 'any', own, at)

    assert.equal(quotas.count('a', 'another', own, 3)?.allowed, false)
    assert.equal(quotas.count('a', 'busy', own, 3)?.used, 1)
    assert.equal(quotas.count('a', 'busy', { ...own, rateLimit: 'off' }, 3), undefined)
  })

  it('R1 answers 429 with Retry-After and the platform’s headers, whatever the call', async (t) => {
    const simulator = await startTestSimulator(t, { rateLimit: { limit: 2, windowMs: 60_000 } })
    const api = await signIn(simulator)

    const first = await api.create()
    assert.equal(first.headers.get('inin-ratelimit-count'), '1')
    assert.equal(first.headers.get('inin-ratelimit-allowed'), '2')
    assert.equal(first.headers.get('inin-ratelimit-reset'), '60')
    assert.equal((await api.create({})).status, 400)
    const refused = await api.status(first.body)
    assert.equal(refused.status, 429)
    assert.equal(refused.body.code, 'too.many.requests')
    const retryAfter = Number(refused.headers.get('retry-after'))
    assert(retryAfter > 55 && retryAfter <= 60)

    simulator.control.advanceClock(60_000)
    assert.equal((await api.status(first.body)).status, 200)
  })

  it('gives Retry-After as a date where that is switched on', async (t) => {
    const simulator = await startTestSimulator(t, {
      rateLimit: { limit: 1, windowMs: 60_000 },
      retryAfterFormat: 'http-date',
    })
    const api = await signIn(simulator)
    await api.create()

    const { headers } = await api.create()

    const at = Date.parse(headers.get('retry-after') ?? '')
    assert(at > Date.now() + 50_000 && at <= Date.now() + 61_000)
  })

  it('R1 lies about Retry-After where that is switched on', async (t) => {
    const simulator = await startTestSimulator(t, {
      rateLimit: { limit: 1, windowMs: 60_000 },
      retryAfterLieMs: -59_000,
    })
    const api = await signIn(simulator)
    await api.create()

    const { headers } = await api.create()

    assert.equal(headers.get('retry-after'), '1')
    simulator.control.advanceClock(1_000)
    assert.equal((await api.create()).status, 429)
  })
})
