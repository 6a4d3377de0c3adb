import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

describe('POST /v1/sessions', () => {
  const gateway = sharedGateway({ environment: { GENESYS_DEPLOYMENT_ID: '' } })
  const create = (body: object) =>
    gateway().api('POST', '/v1/sessions', { guest: { name: 'Ada' }, ...body })
  const made = () =>
    gateway()
      .simulator.control.received.list()
      .filter(({ operation }) => /create/i.test(operation))

  it('answers 201 with Location and the session as it can be read there', async () => {
    const created = await create({ region: 'US', metadata: { shoe: { size: [43] } } })
    assert.equal(created.status, 201)
    const location = created.headers.get('location') ?? ''
    assert.equal(location, `/v1/sessions/${created.body.id}`)
    const { body } = await gateway().api('GET', `${location}?wait=active`)
    assert.equal(body.state, 'active')
    assert.deepEqual(body.metadata, { shoe: { size: [43] } })
    assert.deepEqual(body.guest, created.body.guest)
  })

  it('keeps metadata that would be special anywhere else', async () => {
    const metadata = {
      constructor: 'x',
      toString: 1,
      hasOwnProperty: null,
      '': [],
      'a.b': { c: true },
    }
    const { status, body } = await create({ metadata })
    assert.equal(status, 201, JSON.stringify(body))
    assert.deepEqual(body.metadata, metadata)
  })

  it('takes metadata 16 levels deep and refuses 17 as invalid-request', async () => {
    const nested = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)
    assert.equal((await create({ metadata: { deep: nested(16) } })).status, 201)
    const { errors } = assertProblem(
      await create({ metadata: { deep: nested(17) } }),
      'invalid-request',
    )
    assert.deepEqual(
      errors.map(({ pointer }: { pointer: string }) => pointer),
      ['/metadata/deep'],
    )
  })

  const refusals: [string, string, object, number?][] = [
    ['G8', 'metadata-too-large', { metadata: { blob: 'é'.repeat(33_000) } }],
    ['G5', 'consent-required', { dialect: 'guest-sessions', region: 'eu' }],
    [
      'G5',
      'consent-required',
      {
        dialect: 'guest-sessions',
        region: 'UK',
        consent: { marketing: true, personalization: false, analytics: true },
      },
    ],
    ['', 'dialect-not-configured', { dialect: 'web-messaging' }],
    ['G7', 'origin-not-allowed', { dialect: 'guest-sessions', origin: 'https://evil.example' }],
    ['', 'origin-not-allowed', { stream: { origin: 'https://evil.example' } }],
  ]
  for (const [row, code, body] of refusals) {
    it(`${row && `${row}: `}is ${code}, before any call: ${JSON.stringify(body).slice(0, 60)}`, async () => {
      const before = made().length
      assertProblem(await create(body), code as 'consent-required')
      assert.equal(made().length, before)
    })
  }

  it('names the settings that a dialect lacks, as the list of dialects does', async () => {
    const { detail } = assertProblem(
      await create({ dialect: 'web-messaging' }),
      'dialect-not-configured',
    )
    const { body } = await gateway().api('GET', '/v1/dialects')
    const listed = body.items.find(({ name }: { name: string }) => name === 'web-messaging')
    assert.ok(listed.missing.length > 0)
    assert.ok(detail.endsWith(`missing: ${listed.missing.join(', ')}`), detail)
  })

  it('asks no dialect for consent that takes none, and records it all the same', async () => {
    const { status, body } = await create({ dialect: 'external-guests', region: 'EU' })
    assert.deepEqual([status, body.consent], [201, null])
    const flags = { marketing: false, personalization: false, analytics: true }
    const changed = await gateway().api('PUT', `/v1/sessions/${body.id}/consent`, flags)
    assert.equal(changed.status, 200)
    const { recordedAt: _, ...recorded } = changed.body.consent
    assert.deepEqual(recorded, flags)
  })

  it('G4: is guest-already-exists where the platform knows the guest', async () => {
    const body = {
      dialect: 'guest-sessions',
      guest: { id: '7d8f6a52-52a3-4e0c-9b06-9d6f1a0d2b11', name: 'Ada' },
    }
    assert.equal((await create(body)).status, 201)
    assertProblem(await create(body), 'guest-already-exists')
  })
})

describe('GET /v1/sessions/{sessionId}?wait=active', () => {
  const gateway = sharedGateway()
  const read = (id: string, query: string) => gateway().api('GET', `/v1/sessions/${id}${query}`)

  it('answers as soon as the guest is active', async () => {
    const { api, simulator } = gateway()
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const startedAt = performance.now()
    const waiting = read(session.id, '?wait=active&timeoutMs=60000')
    assert.equal((await read(session.id, '')).body.state, 'pending')
    simulator.control.freezeRouting(false)
    assert.equal((await waiting).body.state, 'active')
    assert.ok(performance.now() - startedAt < 10_000)
  })

  it('answers with the pending session when the time is up', async () => {
    const { api, simulator } = gateway()
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    for (const timeoutMs of [0, 200]) {
      const startedAt = performance.now()
      const { status, body } = await read(session.id, `?wait=active&timeoutMs=${timeoutMs}`)
      assert.deepEqual([status, body.state], [200, 'pending'])
      assert.ok(performance.now() - startedAt >= timeoutMs - 5)
    }
    simulator.control.freezeRouting(false)
  })

  it('answers when the session ends instead', async () => {
    const { api, simulator } = gateway()
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const waiting = read(session.id, '?wait=active&timeoutMs=60000')
    await api('DELETE', `/v1/sessions/${session.id}`)
    assert.equal((await waiting).body.state, 'closed')
    simulator.control.freezeRouting(false)
  })

  it('is invalid-request with another wait or timeout', async () => {
    for (const query of [
      '?wait=closed',
      '?wait=',
      '?timeoutMs=-1',
      '?timeoutMs=120001',
      '?timeoutMs=1e3',
      '?wait=active&other=1',
    ]) {
      assertProblem(await read('gs_unknown', query), 'invalid-request')
    }
  })

  it('is session-not-found for a session that is not there', async () => {
    for (const id of [
      'gs_unknown',
      '%00',
      '%F0%9F%98%80',
      '..%2f..',
      'x'.repeat(5000),
      '%27%20OR%201=1--',
    ]) {
      assertProblem(await read(id, '?wait=active'), 'session-not-found')
    }
  })
})

describe('DELETE /v1/sessions/{sessionId}', () => {
  const gateway = sharedGateway()

  it('answers the closed session, and the same again', async () => {
    const { api } = gateway()
    const session = await openSession(api)
    await send(api, session, 'Hello')
    const first = await api('DELETE', `/v1/sessions/${session.id}`)
    assert.deepEqual([first.status, first.body.state], [200, 'closed'])
    assert.ok(first.body.closedAt)
    const again = await api('DELETE', `/v1/sessions/${session.id}`)
    assert.deepEqual([again.status, again.body], [200, first.body])
  })

  it('is session-not-found for a session that is not there', async () => {
    assertProblem(await gateway().api('DELETE', '/v1/sessions/gs_unknown'), 'session-not-found')
  })
})

describe('A gateway that is stopping', () => {
  it('is shutting-down to new requests, and 202 to those whose message has not come back', async (t) => {
    const { api, gateway, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const operation = 'external-guests.sendMessage'
    simulator.control.faults.add({ kind: 'latency', latencyMs: 1000, operation })
    const sent = simulator.control.received.list(operation).length
    const waiting = send(api, session, 'Hello')
    // A connection of its own, open before the stop begins.
    assert.equal((await api('GET', '/v1/stats')).status, 200)
    while (simulator.control.received.list(operation).length === sent) await api('GET', '/v1/stats')

    const stopped = gateway[Symbol.asyncDispose]()
    const refused = await api('GET', '/v1/stats')
    const problem = assertProblem(refused, 'shutting-down')
    assert.equal(problem.retryable, true)
    assert.equal((await waiting).status, 202)
    assert.equal((await waiting).headers.get('preference-applied'), null)
    await stopped
  })
})
