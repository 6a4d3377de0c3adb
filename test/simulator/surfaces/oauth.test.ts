import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { caller, requestToken, signIn, startTestSimulator } from '../support.ts'

describe('OAuth in the simulator', () => {
  it('A1 takes client credentials from the Basic header and from the form', async (t) => {
    const simulator = await startTestSimulator(t)
    const [client] = simulator.clients
    assert(client)

    const byHeader = await requestToken(simulator)
    assert.equal(byHeader.status, 200)
    assert.equal(byHeader.body.token_type, 'bearer')
    assert.equal(byHeader.body.expires_in, 3600)

    const byForm = await fetch(`${simulator.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: client.id,
        client_secret: client.secret,
      }),
    })
    assert.equal(byForm.status, 200)
  })

  it('grants what was asked for and is also granted, and says which', async (t) => {
    const clients = [{ id: 'small', secret: 'fake', scopes: ['webmessaging:guest:write'] }]
    const simulator = await startTestSimulator(t, { clients })
    const scope = 'webmessaging:guest:write webmessaging:guest:read'

    const { status, body } = await requestToken(simulator, {
      grant_type: 'client_credentials',
      scope,
    })

    assert.equal(status, 200)
    assert.equal(body.scope, 'webmessaging:guest:write')
  })

  it('refuses strangers, wrong secrets, unencoded headers and other grants in the OAuth shape', async (t) => {
    const simulator = await startTestSimulator(t)
    const known = simulator.clients[0]
    assert(known)
    const grant = { grant_type: 'client_credentials' }

    const stranger = await requestToken(simulator, grant, { id: 'nobody', secret: 'x' })
    assert.equal(stranger.status, 400)
    assert.deepEqual(stranger.body, {
      error: 'invalid_client',
      description: 'client not found',
      error_description: 'client not found',
    })
    const wrongSecret = await requestToken(simulator, grant, { id: known.id, secret: 'x' })
    assert.equal(wrongSecret.body.description, 'authentication failed')
    const password = await requestToken(simulator, { grant_type: 'password' })
    assert.equal(password.body.error, 'unsupported_grant_type')
    const nothing = await requestToken(simulator, {})
    assert.equal(nothing.body.error, 'invalid_request')

    const unencoded = await fetch(`${simulator.url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${known.id}:${known.secret}` },
      body: new URLSearchParams(grant),
    })
    assert.equal(unencoded.status, 400)
    const json = await fetch(`${simulator.url}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    })
    assert.equal(((await json.json()) as { error: string }).error, 'invalid_request')
  })

  it('A3 answers 401 to missing, unknown, expired and revoked tokens', async (t) => {
    const simulator = await startTestSimulator(t, { tokenTtlSeconds: 60 })
    const codes: unknown[] = []
    const note = async (api: ReturnType<typeof caller>) => {
      const { status, body } = await api.create()
      codes.push(status, body.code)
    }

    await note(caller(simulator, ''))
    await note(caller(simulator, 'made-up'))
    const expired = await signIn(simulator)
    simulator.control.advanceClock(60_000)
    await note(expired)
    const revoked = await signIn(simulator)
    assert.equal((await revoked.call('DELETE', '/api/v2/tokens/me')).status, 200)
    await note(revoked)
    const revokedFromOutside = await signIn(simulator)
    assert.equal(simulator.control.revokeTokens('simulator-client') > 0, true)
    await note(revokedFromOutside)

    assert.deepEqual(codes, [
      ...[401, 'authentication.required'],
      ...[401, 'bad.credentials'],
      ...[401, 'credentials.expired'],
      ...[401, 'bad.credentials'],
      ...[401, 'bad.credentials'],
    ])
  })

  it('A4 answers 403 naming the missing scope, or 401 where that is switched on', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator, 'webmessaging:guest:read')

    const refused = await api.create()
    assert.equal(refused.status, 403)
    assert.match(String(refused.body.message), /webmessaging:guest:write/)

    simulator.control.configure({ missingScopeStatus: 401 })
    assert.equal((await api.create()).status, 401)
  })

  it('introspects a token for a client that identifies itself', async (t) => {
    const simulator = await startTestSimulator(t)
    const [client] = simulator.clients
    assert(client)
    const { token } = await signIn(simulator, 'webmessaging:guest:write')
    const introspect = async () => {
      const response = await fetch(`${simulator.url}/oauth/introspect`, {
        method: 'POST',
        body: new URLSearchParams({ token, client_id: client.id, client_secret: client.secret }),
      })
      return (await response.json()) as { active: boolean; scope?: string }
    }

    const before = await introspect()
    assert.equal(before.active, true)
    assert.equal(before.scope, 'webmessaging:guest:write')
    simulator.control.revokeTokens()
    assert.deepEqual(await introspect(), { active: false })
  })

  it('A6 keeps several clients apart', async (t) => {
    const clients = [
      { id: 'one', secret: 'fake-1' },
      { id: 'two', secret: 'fake-2' },
    ]
    const simulator = await startTestSimulator(t, { clients })
    const one = await signIn(simulator, undefined, simulator.clients[0])
    const two = await signIn(simulator, undefined, simulator.clients[1])

    simulator.control.revokeTokens('one')

    assert.equal((await one.create()).status, 401)
    assert.equal((await two.create()).status, 201)
    const users = simulator.control.received.list('external-guests').map((r) => r.clientId)
    assert.deepEqual(users, [null, 'two'])
  })
})
