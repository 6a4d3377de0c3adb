import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UpstreamError } from '../../src/errors.ts'
import {
  answers,
  grantsTokens,
  hangs,
  resetsAfterReading,
  startToxicUpstream,
} from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { buildClient, diary, limitsOf, options, request, scopes } from './support/client.ts'
import { fullestWindow } from './support/windows.ts'

const two = [
  { id: 'client-1', secret: 'fake-client-secret-0001' },
  { id: 'client-2', secret: 'fake-client-secret-0002' },
]

describe('GenesysClient.call, 429 (R1)', () => {
  for (const [name, retryAfter] of [
    ['seconds', () => '1'],
    ['a date', () => new Date(Date.now() + 2_000).toUTCString()],
  ] as const) {
    it(`waits as long as asked, in ${name}, and lets all others wait too`, async (t) => {
      const { api, client, log } = await buildClient(t)
      api.queue((incoming, response, seen) =>
        answers(429, {}, { 'retry-after': retryAfter() })(incoming, response, seen),
      )
      const hooks = diary()
      const refused = client.call(request(), options(hooks))
      await until('the refusal is back', () => hooks.entries.includes('returned'))
      const others = Array.from({ length: 20 }, () => client.call(request(), options()))
      const reply = await refused
      await Promise.all(others)
      assert.equal(reply.attempts, 2)
      const [first = 0, ...rest] = api.seen.map(({ at }) => at)
      assert.equal(rest.length, 21)
      const gap = Math.min(...rest) - first
      assert.ok(gap >= 990, `${gap} ms`)
      assert.ok(log.lines.some(({ fields }) => fields.clientId === 'client-1'))
    })
  }

  it('fails at once when the wait does not fit, saying how long it is', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(answers(429, { code: 'too.many.requests' }, { 'retry-after': '30' }))
    const startedAt = performance.now()
    await assert.rejects(client.call(request(), options()), (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'rate-limited')
      assert.equal(error.retryable, true)
      assert.equal(error.fate, 'refused')
      assert.equal(error.attempts, 1)
      assert.equal(error.upstream?.status, 429)
      assert.equal(error.upstream?.code, 'too.many.requests')
      const { retryAfterMs = 0 } = error
      assert.ok(retryAfterMs > 29_000 && retryAfterMs <= 30_000, `${retryAfterMs}`)
      return true
    })
    await assert.rejects(client.call(request(), options()), { code: 'rate-limited', attempts: 0 })
    assert.ok(performance.now() - startedAt < 1_000)
    assert.equal(api.seen.length, 1)
  })

  it('waits about 3 s where it is not said how long', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(answers(429, {}))
    const deadline = Date.now() + 1_000
    await assert.rejects(client.call(request(), options({ deadline })), (error) => {
      assert.ok(error instanceof UpstreamError)
      const { retryAfterMs = 0 } = error
      assert.ok(retryAfterMs > 2_000 && retryAfterMs <= 3_000, `${retryAfterMs}`)
      return true
    })
  })

  it('goes on with another OAuth client at once (A6)', async (t) => {
    const { api, client } = await buildClient(t, { clients: two })
    api.queue(answers(429, {}, { 'retry-after': '60' }))
    const reply = await client.call(request(), options())
    assert.equal(reply.attempts, 2)
    for (let n = 0; n < 4; n++) await client.call(request(), options())
    const [refused, ...rest] = api.seen.map(({ headers }) => headers.authorization)
    assert.equal(new Set(rest).size, 1)
    assert.notEqual(rest[0], refused)
  })
})

describe('GenesysClient.call, its quota', () => {
  it('is kept in every sliding window the platform can see (R1)', async (t) => {
    const { api, client } = await buildClient(t, { limits: limitsOf({ limit: 20, windowMs: 300 }) })
    api.usually(async (...exchange) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20))
      await answers(Math.random() < 0.1 ? 503 : 200, {})(...exchange)
    })
    await Promise.all(Array.from({ length: 120 }, () => client.call(request(), options())))
    assert.ok(api.seen.length >= 120)
    const arrivals = api.seen.map(({ at }) => at)
    assert.ok(fullestWindow(arrivals, 300) <= 20, `${fullestWindow(arrivals, 300)}`)
  })

  it('refuses what cannot leave in time, with a truthful wait (R2)', async (t) => {
    const { api, client } = await buildClient(t, {
      limits: limitsOf({ limit: 3, windowMs: 60_000 }),
    })
    for (let n = 0; n < 3; n++) await client.call(request(), options())
    await assert.rejects(client.call(request(), options()), (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'rate-limited')
      assert.equal(error.fate, 'refused')
      assert.equal(error.retryable, true)
      const { retryAfterMs = 0 } = error
      assert.ok(retryAfterMs > 58_000 && retryAfterMs <= 60_010, `${retryAfterMs}`)
      return true
    })
    assert.equal(api.seen.length, 3)
    const [quota] = client.quota()
    assert.equal(quota?.client, 'client-1')
    assert.equal(quota?.used, 3)
    assert.deepEqual(quota?.dialects, ['external-guests'])
  })

  it('counts attempts that were refused or lost, and not those that never left', async (t) => {
    const { api, client } = await buildClient(t, {
      limits: limitsOf({ limit: 10, windowMs: 60_000 }),
    })
    api.queue(answers(404, {}), resetsAfterReading)
    await client.call(request(), options())
    await assert.rejects(client.call(request(), options()))
    assert.equal(client.quota()[0]?.used, 2)
    const leaving = () => Promise.reject(new Error('no'))
    await assert.rejects(client.call(request(), options({ leaving })))
    assert.equal(client.quota()[0]?.used, 2)
  })

  it('spreads calls over OAuth clients by what is left (A6)', async (t) => {
    const { api, client } = await buildClient(t, {
      clients: two,
      limits: limitsOf({ limit: 5, windowMs: 60_000 }),
    })
    await Promise.all(Array.from({ length: 10 }, () => client.call(request(), options())))
    assert.deepEqual(
      client.quota().map(({ used }) => used),
      [5, 5],
    )
    await assert.rejects(client.call(request(), options()), { code: 'rate-limited' })
    assert.equal(api.seen.length, 10)
  })

  it('passes over an OAuth client that gets no token (A6)', async (t) => {
    const { login, client } = await buildClient(t, { clients: two })
    const grant = grantsTokens()
    login.usually((incoming, response, seen) => {
      const basic = Buffer.from(incoming.headers.authorization?.slice(6) ?? '', 'base64').toString()
      const behave = basic.startsWith('client-1')
        ? answers(401, { error: 'invalid_client' })
        : grant
      return behave(incoming, response, seen)
    })
    for (let n = 0; n < 6; n++) assert.equal((await client.call(request(), options())).status, 200)
    assert.equal(login.seen.length, 2)
    assert.equal(client.health().token, 'ok')
  })

  it('fails as the token does when no OAuth client gets one', async (t) => {
    const { api, login, client } = await buildClient(t, { clients: two })
    login.usually(answers(401, { error: 'invalid_client' }))
    await assert.rejects(client.call(request(), options()), {
      code: 'upstream-unauthorized',
      attempts: 0,
      fate: 'refused',
    })
    assert.equal(login.seen.length, 2)
    assert.equal(api.seen.length, 0)
    assert.match(client.health().token, /answered 401/)
  })
})

describe('GenesysClient.call, its breaker', () => {
  const breaker = { leastCalls: 4, firstBreakMs: 300, longestBreakMs: 300 }

  it('fails fast when the host is down and the wait does not fit', async (t) => {
    const { api, client, log } = await buildClient(t, { breaker })
    api.usually(answers(500, {}))
    await assert.rejects(client.call(request(), options({ deadline: Date.now() + 10_000 })))
    assert.equal(client.health().breaker, 'open')
    const seen = api.seen.length
    const hooks = diary()
    const deadline = Date.now() + 50
    await assert.rejects(client.call(request(), options({ deadline, ...hooks })), (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'upstream-unavailable')
      assert.equal(error.fate, 'refused')
      assert.equal(error.retryable, true)
      const { retryAfterMs = 0 } = error
      assert.ok(retryAfterMs > 0 && retryAfterMs <= 300, `${retryAfterMs}`)
      return true
    })
    assert.equal(api.seen.length, seen)
    assert.deepEqual(hooks.entries, [])
    assert.ok(log.lines.some(({ fields }) => fields.state === 'open'))
  })

  it('lets calls that can wait leave when the host is back', async (t) => {
    const { api, client } = await buildClient(t, { breaker })
    api.usually(answers(500, {}))
    await assert.rejects(client.call(request(), options()))
    api.usually(answers(200, {}))
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => client.call(request(), options())),
    )
    assert.ok(replies.every(({ status, attempts }) => status === 200 && attempts === 1))
    assert.equal(client.health().breaker, 'closed')
  })
})

describe('GenesysClient', () => {
  it('fetches tokens ahead and knows what they lack (A5)', async (t) => {
    const { login, client, log } = await buildClient(t, { clients: two })
    assert.deepEqual(client.health(), { token: 'none', missingScopes: {}, breaker: 'closed' })
    login.usually(grantsTokens({ scope: scopes[0] }))
    await client.warmUp([{ name: 'external-guests', scopes }])
    assert.equal(login.seen.length, 2)
    assert.deepEqual(client.health(), {
      token: 'ok',
      missingScopes: { 'client-1': [scopes[1]], 'client-2': [scopes[1]] },
      breaker: 'closed',
    })
    assert.equal(log.lines.length, 2)
    await client.call(request(), options())
    assert.equal(login.seen.length, 2)
  })

  it('fails to warm up when a token cannot be had, and says why', async (t) => {
    const { login, client } = await buildClient(t)
    login.usually(answers(400, { error: 'invalid_client' }))
    await assert.rejects(client.warmUp([{ name: 'external-guests', scopes }]), {
      code: 'upstream-unauthorized',
    })
  })

  it('ends all waiting when it is closed', async (t) => {
    const { api, client } = await buildClient(t, {
      limits: limitsOf({ limit: 1, windowMs: 10_000 }),
    })
    await client.call(request(), options())
    const inLine = client.call(request(), options())
    const other = client.call(
      request({ scopes: ['another:scope'] }),
      options({ dialect: 'conversations' }),
    )
    const ended = [inLine, other].map((calling) =>
      assert.rejects(calling, { code: 'shutting-down', fate: 'refused' }),
    )
    await Promise.all([client[Symbol.asyncDispose](), ...ended])
    await assert.rejects(client.call(request(), options()), { code: 'shutting-down' })
    assert.equal(api.seen.length, 1)
  })

  it('breaks off what does not end soon after it is closed', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(hangs)
    const calling = client.call(request(), options())
    await api.arrived(1)
    await Promise.all([
      client[Symbol.asyncDispose](),
      assert.rejects(calling, { code: 'shutting-down', fate: 'unknown' }),
    ])
  })

  it('works when API and login share a host', async (t) => {
    const host = await startToxicUpstream((incoming, response, seen) => {
      const behave = incoming.url === '/oauth/token' ? grantsTokens() : answers(200, {})
      return behave(incoming, response, seen)
    })
    t.after(() => host[Symbol.asyncDispose]())
    const { client } = await buildClient(t, { baseUrl: host.url, loginUrl: host.url })
    assert.equal((await client.call(request(), options())).status, 200)
  })
})
