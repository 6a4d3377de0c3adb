import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { type Body, requestToken, signIn, startTestSimulator } from './support.ts'

async function control(simulator: Simulator, method: string, path: string, body?: unknown) {
  const response = await fetch(`${simulator.url}/__simulator${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, body: (await response.json()) as Body & { items: Body[] } }
}

describe('the control routes', () => {
  it('order faults, list them and take them back', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const fault = { kind: 'status', status: 500, operation: 'external-guests' }

    const added = await control(simulator, 'POST', '/faults', fault)
    assert.equal(added.status, 201)
    assert.equal((await api.create()).status, 500)
    const listed = await control(simulator, 'GET', '/faults')
    assert.equal(listed.body.items[0]?.hits, 1)
    await control(simulator, 'DELETE', `/faults/${added.body.id}`)
    assert.equal((await api.create()).status, 201)

    await control(simulator, 'PUT', '/faults', [fault, fault])
    assert.equal((await control(simulator, 'DELETE', '/faults')).body.removed, 2)
  })

  it('freeze routing and thaw it', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    await control(simulator, 'POST', '/routing', { frozen: true })
    const { body: guest } = await api.create()

    await control(simulator, 'POST', '/clock', { advanceMs: 60_000 })
    assert.equal((await api.status(guest)).body.status, 'ROUTING')
    await control(simulator, 'POST', '/routing', { frozen: false })
    assert.equal((await api.status(guest)).body.status, 'ACTIVE')
  })

  it('show what was received, without secrets', async (t) => {
    const simulator = await startTestSimulator(t)
    const [client] = simulator.clients
    assert(client)
    const form = {
      grant_type: 'client_credentials',
      client_id: client.id,
      client_secret: client.secret,
    }
    await requestToken(simulator, form)
    const api = await signIn(simulator)
    await api.create({ name: 'Ada' })
    await api.call('GET', `/api/v2/unknown?access_token=${api.token}`)

    const all = await control(simulator, 'GET', '/received')
    const text = JSON.stringify(all.body)
    assert(!text.includes(client.secret))
    assert(!text.includes(api.token))
    const { body } = await control(simulator, 'GET', '/received?operation=external-guests')
    assert.equal(body.items.length, 1)
    const [request] = body.items
    assert.equal(request?.operation, 'external-guests.createGuest')
    assert.equal(request?.clientId, client.id)
    assert.equal(request?.tokenNumber, 2)
    assert.equal(request?.answeredStatus, 201)
    assert.deepEqual(request?.body, { name: 'Ada' })
  })

  it('remember only as many requests as they may, the newest', async (t) => {
    const simulator = await startTestSimulator(t, { receivedLimit: 100 })
    const api = await signIn(simulator)

    for (let sent = 0; sent < 250; sent += 1) await api.create({ name: `guest ${sent}` })

    const kept = simulator.control.received.list()
    assert.equal(kept.length, 100)
    assert.deepEqual(kept.at(-1)?.body, { name: 'guest 249' })
    assert.equal(kept[0]?.sequence, 152)
  })

  it('speak as the agent and end the conversation', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const { body: guest } = await api.create()
    const path = `/conversations/${guest.conversationId}`

    await control(simulator, 'POST', `${path}/messages`, { text: 'Hello, I am Sam' })
    await control(simulator, 'POST', `${path}/close`)

    assert.equal((await api.status(guest)).body.status, 'CLOSED')
    const [said] = await api.transcript(guest)
    assert.deepEqual([said?.author.type, said?.text], ['agent', 'Hello, I am Sam'])
    const unknown = await control(simulator, 'POST', '/conversations/none/close')
    assert.equal(unknown.status, 404)
  })

  it('change options and put everything back', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const changed = await control(simulator, 'PATCH', '/options', { createdStatus: 202 })
    assert.equal(changed.body.createdStatus, 202)
    const before = await api.create()
    assert.equal(before.status, 202)

    await control(simulator, 'POST', '/reset')

    assert.equal((await api.create()).status, 401)
    const again = await signIn(simulator)
    assert.equal(again.token, api.token)
    const after = await again.create()
    assert.equal(after.status, 201)
    assert.equal(after.body.id, before.body.id)
    const { body: state } = await control(simulator, 'GET', '/state')
    assert.equal(state.conversationCount, 1)
  })

  it('are listed, and named where there is none', async (t) => {
    const simulator = await startTestSimulator(t)
    const { status, body } = await control(simulator, 'GET', '/')
    assert.equal(status, 200)
    const described = readFileSync('src/simulator/control-routes.ts', 'utf8')
      .split('*/', 1)[0]
      ?.matchAll(/^ \* {3}(\w+) +(\/__simulator[\w/{}]*)/gm)
    for (const [, method, path = ''] of described ?? []) {
      const route = `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`
      assert.ok((body.routes as string[]).includes(route), route)
    }
    assert.deepEqual((await control(simulator, 'GET', '')).body, body)

    const missing = await control(simulator, 'GET', '/fault')
    assert.equal(missing.status, 404)
    assert.match(String(missing.body.message), /GET \/__simulator lists/)
  })

  it('refuse a fault that could never hit, and name what it could', async (t) => {
    const simulator = await startTestSimulator(t)
    const order = (rule: object) => control(simulator, 'POST', '/faults', rule)
    const refused = [
      { kind: 'reset', operation: 'external-guests.sendMesage' },
      { kind: 'reset', operation: 'external-guest' },
      { kind: 'reset', operation: '' },
      { kind: 'frame-drop', operation: 'external-guests.sendMessage' },
      { kind: 'malformed', operation: 'web-messaging.connect' },
    ]
    for (const rule of refused) {
      const { status, body } = await order(rule)
      assert.equal(status, 400)
      assert.match(String(body.message), /it takes .*\bweb-messaging\b/)
    }
    assert.match(
      String((await order({ ...refused[0] })).body.message),
      /external-guests\.sendMessage/,
    )
    assert.equal((await control(simulator, 'GET', '/faults')).body.items.length, 0)

    for (const rule of [
      { kind: 'reset' },
      { kind: 'reset', contains: '/api/v2/external' },
      { kind: 'reset', operation: 'external-guests' },
      { kind: 'reset', operation: 'web-messaging.connect' },
      { kind: 'reset', operation: 'unknown' },
      { kind: 'frame-drop', operation: 'web-messaging' },
    ]) {
      assert.equal((await order({ ...rule, count: 1 })).status, 201)
    }
  })

  it('say what is wrong with an order they do not understand', async (t) => {
    const simulator = await startTestSimulator(t)

    assert.equal((await control(simulator, 'POST', '/faults', { kind: 'gremlin' })).status, 400)
    assert.equal((await control(simulator, 'POST', '/clock', { advanceMs: -1 })).status, 400)
    assert.equal((await control(simulator, 'POST', '/clock', { advanceMs: 0.5 })).status, 400)
    assert.equal((await control(simulator, 'PATCH', '/options', { colour: 'red' })).status, 400)
    assert.equal((await control(simulator, 'POST', '/tokens/revoke', {})).body.revoked, 0)
  })
})
