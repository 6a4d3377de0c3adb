import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Answer } from '../support/gateway.ts'
import { operations } from '../support/openapi.ts'
import { assertProblem } from '../support/problems.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

/** Who may call what, written down once more; the routes say it themselves in their `roles`. */
const mayCall: Record<string, readonly string[]> = {
  createSession: ['app', 'admin'],
  listSessions: ['app', 'ops', 'admin'],
  getSession: ['app', 'ops', 'admin'],
  getTimeline: ['app', 'ops', 'admin'],
  closeSession: ['app', 'admin'],
  eraseData: ['app', 'admin'],
  injectMessage: ['app', 'admin'],
  listMessages: ['app', 'ops', 'admin'],
  getMessage: ['app', 'ops', 'admin'],
  retryMessage: ['app', 'admin'],
  injectBatch: ['app', 'admin'],
  listDialects: ['app', 'ops', 'admin'],
  refreshSession: ['app', 'admin'],
  changeConsent: ['app', 'admin'],
  showTyping: ['app', 'admin'],
  createStreamToken: ['app', 'admin'],
  streamSessionEvents: ['app', 'ops', 'admin'],
  streamAllEvents: ['ops', 'admin'],
  createWebhook: ['admin'],
  listWebhooks: ['admin'],
  getWebhook: ['admin'],
  deleteWebhook: ['admin'],
  listDeliveries: ['admin'],
  replayWebhook: ['admin'],
  rotateWebhookSecret: ['admin'],
  registerPlatformWebhook: ['admin'],
  listAudit: ['ops', 'admin'],
  getStats: ['app', 'ops', 'admin'],
  getMetrics: ['ops', 'admin'],
}
const open = ['getLive', 'getReady', 'getProblemPage']
const roles = ['app', 'ops', 'admin'] as const

describe('Who may call', () => {
  const gateway = sharedGateway()
  async function call(method: string, path: string, authorization: string): Promise<Answer> {
    const url = gateway().url + path.replace(/\{\w+\}/g, 'unknown')
    const response = await fetch(url, { method, headers: { authorization } })
    const { status, headers } = response
    const isProblem = headers.get('content-type')?.startsWith('application/problem+json')
    if (isProblem) return { status, headers, body: await response.json() }
    // An event stream would not end.
    await response.body?.cancel()
    return { status, headers, body: null }
  }

  it('is written down here for every operation', () => {
    assert.deepEqual(
      operations.map(({ operationId }) => operationId).sort(),
      [...Object.keys(mayCall), ...open].sort(),
    )
  })

  for (const { operationId, method, path, 'x-roles': described } of operations) {
    const allowed = mayCall[operationId]
    if (!allowed) {
      it(`lets anybody ${method} ${path}`, async () => {
        for (const authorization of ['', 'Bearer not-a-key']) {
          const { status } = await call(method, path, authorization)
          assert.ok(![401, 403].includes(status))
        }
      })
      continue
    }
    for (const role of roles) {
      const verdict = allowed.includes(role) ? 'lets' : 'is forbidden:'
      it(`${verdict} ${role} ${method} ${path}`, async () => {
        assert.deepEqual(described, allowed)
        const answer = await call(method, path, `Bearer test-${role}-key`)
        if (allowed.includes(role)) assert.ok(![401, 403].includes(answer.status))
        else {
          const { detail } = assertProblem(answer, 'forbidden')
          const takes = `has the role ${role}; this route takes ${allowed.join(' or ')}`
          assert.ok(detail.endsWith(takes), detail)
        }
      })
    }

    it(`is unauthorized, with WWW-Authenticate, without a key: ${method} ${path}`, async () => {
      const answer = await call(method, path, '')
      assertProblem(answer, 'unauthorized')
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer')
      assert.equal(answer.headers.get('ratelimit'), null)
    })
  }
})

describe('The Authorization header', () => {
  const gateway = sharedGateway({
    environment: {
      API_KEYS:
        'plain:app:plain-not-a-real-key,hashed:ops:sha256:5d0da5a0cb5a0cb28db81b1b6b8c5bd8cfb1bd7e4b3b9b3a7cf3b8d2d4f6a5e1',
    },
  })
  const status = async (authorization: string) =>
    (await gateway().api('GET', '/v1/stats', undefined, { authorization })).status

  it('takes the scheme in any case and spaces around the key', async () => {
    for (const header of [
      'Bearer plain-not-a-real-key',
      'bearer   plain-not-a-real-key ',
      'BEARER plain-not-a-real-key',
    ]) {
      assert.equal(await status(header), 200, header)
    }
  })

  it('is unauthorized in any other form', async () => {
    const headers = [
      'plain-not-a-real-key',
      'Bearer',
      'Bearer plain-not-a-real-key more',
      'Basic cGxhaW46cGxhaW4tbm90LWEtcmVhbC1rZXk=',
      'Bearer plain-not-a-real-keY',
      'Bearer plain-not-a-real-ke',
      'Bearer sha256:5d0da5a0cb5a0cb28db81b1b6b8c5bd8cfb1bd7e4b3b9b3a7cf3b8d2d4f6a5e1',
      'Bearer 5d0da5a0cb5a0cb28db81b1b6b8c5bd8cfb1bd7e4b3b9b3a7cf3b8d2d4f6a5e1',
    ]
    for (const header of headers) assert.equal(await status(header), 401, header)
  })

  it('is refused before a body is looked at', async () => {
    const answer = await gateway().api('POST', '/v1/sessions', '{', { authorization: 'Bearer no' })
    assertProblem(answer, 'unauthorized')
  })

  it('is never repeated, in the answer or the log', async () => {
    const answer = await gateway().api('GET', '/v1/stats', undefined, {
      authorization: 'Bearer guessed-not-a-real-key',
    })
    const told = JSON.stringify(assertProblem(answer, 'unauthorized')) + gateway().logs.join('')
    assert.doesNotMatch(told, /guessed-not-a-real-key/)
  })
})
