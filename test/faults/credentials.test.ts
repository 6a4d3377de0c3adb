import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textsAt, timesTaken } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import { messageOf, openSession, send } from '../support/sessions.ts'
import { until } from '../support/until.ts'

const everyScope = ['webmessaging:guest:write', 'webmessaging:guest:read']
const client = { id: 'test-client', secret: 'test-not-a-real-secret' }

describe('access to the platform', { concurrency: 4 }, () => {
  it('A3: fetches a new token when the old one is revoked, and nobody notices', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    simulator.control.revokeTokens()

    const answers = await Promise.all(['a', 'b', 'c'].map((text) => send(api, session, text)))
    const created = await api('POST', '/v1/sessions', { guest: { name: 'Bob' } })

    assert.deepEqual(
      answers.map(({ status, body }) => [status, body.status]),
      Array(3).fill([201, 'sent']),
    )
    assert.equal(created.status, 201)
    assert.deepEqual(textsAt(simulator), ['a', 'b', 'c'])
    assert.equal(simulator.control.received.list('oauth.token').length, 2)
  })

  it('A2: waits for a token endpoint that is down and comes back', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const fault = simulator.control.faults.add({
      kind: 'status',
      status: 503,
      operation: 'oauth.token',
    })
    simulator.control.revokeTokens()

    const answer = send(api, session, 'Hello')
    await until('a token was asked for again and again', () => {
      return simulator.control.received.list('oauth.token').length > 2
    })
    simulator.control.faults.remove(fault.id)

    assert.equal((await answer).body.status, 'sent')
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })

  it('A2: fails what cannot wait for the token endpoint, with nothing sent', async (t) => {
    const environment = { GENESYS_TIMEOUT_MS: '300', GENESYS_ACTIVATION_TIMEOUT_MS: '900' }
    const { api, simulator } = await startTestGateway(t, { environment })
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'reset', operation: 'oauth.token' })
    simulator.control.revokeTokens()

    const answer = await send(api, session, 'Hello')

    assert.ok(answer.status === 503 || answer.status === 504, JSON.stringify(answer.body))
    assert.equal(answer.body.retryable, true)
    const message = await messageOf(api, session, 'Hello')
    assert.equal(message.status, 'failed')
    assert.equal(timesTaken(simulator, 'Hello'), 0)
  })

  it('A4, A5: says which scope is missing, before the first guest and to who wants one', async (t) => {
    const clients = [{ ...client, scopes: ['webmessaging:guest:read'] }]
    const { api, simulator } = await startTestGateway(t, { simulator: { clients } })

    const ready = await until('readiness knows', async () => {
      const { status, body } = await api('GET', '/health/ready')
      return status === 503 && !body.reasons.includes('no token from the platform yet') && body
    })
    assert.deepEqual(ready.reasons, [
      'OAuth client test-client lacks the scopes webmessaging:guest:write',
    ])
    assert.equal(simulator.control.received.list('external-guests').length, 0)

    const answer = await api('POST', '/v1/sessions', { guest: { name: 'Ada' } })
    assert.equal(answer.status, 502)
    assert.equal(answer.body.code, 'upstream-forbidden')
    assert.equal(answer.body.retryable, false)
    assert.match(answer.body.detail, /webmessaging:guest:write/)
    assert.equal((await api('GET', '/v1/sessions')).body.items.length, 0)
  })

  it('A4: reads a 401 for a missing scope as what it is', async (t) => {
    const clients = [{ ...client, scopes: ['webmessaging:guest:read'] }]
    const { api } = await startTestGateway(t, { simulator: { clients, missingScopeStatus: 401 } })

    const answer = await api('POST', '/v1/sessions', { guest: { name: 'Ada' } })

    assert.equal(answer.status, 502)
    assert.equal(answer.body.code, 'upstream-forbidden')
    assert.match(answer.body.detail, /webmessaging:guest:write/)
  })

  it('A4: sends without the scope that only reading needs', async (t) => {
    const clients = [{ ...client, scopes: everyScope.slice(0, 1) }]
    const { api, simulator } = await startTestGateway(t, {
      simulator: { clients, activationMs: 200 },
    })
    const { body: session } = await api('POST', '/v1/sessions', { guest: { name: 'Ada' } })

    // Nobody may ask whether the guest is active, so the send has to find out.
    const answer = await send(api, session, 'Hello')

    assert.equal(answer.body.status, 'sent', JSON.stringify(answer.body))
    assert.equal(timesTaken(simulator, 'Hello'), 1)
    assert.equal((await api('GET', `/v1/sessions/${session.id}`)).body.state, 'active')
  })

  it('A3: names region and scopes when the credentials are wrong', async (t) => {
    const { api, url } = await startTestGateway(t, {
      environment: { GENESYS_CLIENT_SECRET: 'wrong-not-a-real-secret' },
    })

    const ready = await until('readiness knows', async () => {
      const { status, body } = await api('GET', '/health/ready')
      return status === 503 && /^token: /.test(body.reasons[0]) && body
    })
    assert.match(ready.reasons[0], /check the client id and secret/)
    assert.equal((await fetch(`${url}/health/live`)).status, 200)

    const answer = await api('POST', '/v1/sessions', { guest: { name: 'Ada' } })
    assert.deepEqual([answer.status, answer.body.code], [502, 'upstream-unauthorized'])
    assert.equal(answer.body.retryable, false)
  })
})
