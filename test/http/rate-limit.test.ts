import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const as = (role: string) => ({ authorization: `Bearer test-${role}-key` })

describe('RateLimit and RateLimit-Policy', () => {
  const gateway = sharedGateway({ environment: { API_RATE_LIMIT: '1000/60s' } })

  it('are on every answer to a known key, whatever the answer', async () => {
    const { api } = gateway()
    const answers = [
      await api('GET', '/v1/stats'),
      await api('GET', '/metrics'),
      await api('GET', '/v1/sessions/unknown'),
      await api('GET', '/v1/sessions?limit=0'),
      await api('POST', '/v1/sessions', '{'),
      await api('POST', '/v1/sessions', 'x', { 'content-type': 'text/plain' }),
      await api('POST', '/v1/sessions', { guest: { name: 'Ada' } }),
      await api('GET', '/metrics', undefined, as('app')),
      await api('POST', '/v1/messages/batch', '', { 'content-type': 'application/x-ndjson' }),
    ]
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 404, 400, 400, 415, 201, 403, 200],
    )
    for (const { headers, status } of answers) {
      assert.equal(headers.get('ratelimit-policy'), '"default";q=1000;w=60', String(status))
      assert.match(headers.get('ratelimit') ?? '', /^"default";r=9\d\d;t=\d{1,2}$/)
    }
  })

  it('count down, for each key by itself', async () => {
    const remaining = async (role: string) => {
      const { headers } = await gateway().api('GET', '/v1/dialects', undefined, as(role))
      return Number(/r=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1])
    }
    const [app, ops] = [await remaining('app'), await remaining('ops')]
    assert.deepEqual([await remaining('app'), await remaining('ops')], [app - 1, ops - 1])
  })

  it('are not there without a key', async () => {
    const { api } = gateway()
    for (const path of ['/health/live', '/problems/forbidden', '/nowhere']) {
      const { headers } = await api('GET', path, undefined, { authorization: '' })
      assert.equal(headers.get('ratelimit'), null)
    }
  })
})

describe('A key over its limit', () => {
  it('is rate-limited with a Retry-After that is true, and served again after it', async (t) => {
    const clock = new FakeClock()
    const { api } = await startTestGateway(t, {
      environment: { API_RATE_LIMIT: '3/10s', GENESYS_RATE_LIMIT: 'off' },
      overrides: { clock },
    })
    const call = (role = 'app') => api('GET', '/v1/dialects', undefined, as(role))
    for (const left of [2, 1, 0]) {
      const { status, headers } = await call()
      assert.equal(status, 200)
      assert.equal(headers.get('ratelimit'), `"default";r=${left};t=10`)
    }

    const refused = await call()
    const problem = assertProblem(refused, 'rate-limited')
    assert.equal(problem.retryable, true)
    assert.equal(problem.retryAfterSeconds, 10)
    assert.equal(refused.headers.get('ratelimit'), '"default";r=0;t=10')
    assert.equal((await call('ops')).status, 200, 'another key is not touched')
    assert.equal((await api('GET', '/health/live')).status, 200)

    clock.advance(9999)
    assert.equal((await call()).headers.get('retry-after'), '1')
    clock.advance(1)
    assert.equal((await call()).status, 200)
  })

  it('has no limit where the limit is off', async (t) => {
    const { api } = await startTestGateway(t, { environment: { API_RATE_LIMIT: 'off' } })
    const { status, headers } = await api('GET', '/v1/dialects')
    assert.deepEqual([status, headers.get('ratelimit')], [200, null])
  })
})
