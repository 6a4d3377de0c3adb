import assert from 'node:assert/strict'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { listen } from '../../support/ports.ts'
import { type Body, signIn, startTestSimulator } from '../support.ts'

async function receiver(t: TestContext) {
  const waiting: ((delivery: Delivery) => void)[] = []
  const arrived: Delivery[] = []
  const server = createServer(async (request, response) => {
    const text = Buffer.concat(await request.toArray()).toString()
    const delivery = { method: request.method, headers: request.headers, body: JSON.parse(text) }
    const waiter = waiting.shift()
    if (waiter) waiter(delivery)
    else arrived.push(delivery)
    response.writeHead(200).end()
  })
  const port = await listen(server)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return {
    uri: `http://127.0.0.1:${port}/crm`,
    next: () =>
      new Promise<Delivery>((resolve) => {
        const delivery = arrived.shift()
        if (delivery) resolve(delivery)
        else waiting.push(resolve)
      }),
  }
}

interface Delivery {
  method: string | undefined
  headers: IncomingHttpHeaders
  body: Body & { data: Body }
}

const filters = (...values: string[]) => [{ predicate: { type: 'event', values } }]
const session = {
  channelConfigurationId: 'channel-1',
  guestId: 'ada',
  consent: { marketing: false, personalization: false, analytics: true },
}

describe('webhooks of the platform', () => {
  it('E1 are registered and told of sessions created and updated, without tokens', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const crm = await receiver(t)
    const { status, body: webhook } = await api.call('POST', '/api/v2/webhooks', {
      name: 'GuestSessionCRMSync',
      uri: crm.uri,
      method: 'POST',
      enabled: true,
      eventFilters: filters(
        'webmessaging.guestsession.created',
        'webmessaging.guestsession.updated',
      ),
      headers: { 'X-Source': 'GenesysWebMessaging', 'Content-Type': 'application/json' },
    })
    assert.equal(status, 201)
    assert(webhook.id)

    const path = '/api/v2/webmessaging/guest-sessions'
    const { body: created } = await api.call('POST', path, session)
    const first = await crm.next()
    assert.equal(first.headers['x-source'], 'GenesysWebMessaging')
    assert.equal(first.headers['content-type'], 'application/json')
    assert.equal(first.body.type, 'webmessaging.guestsession.created')
    assert.deepEqual(first.body.data, { id: created.id, guestAttributes: {}, ...session })

    const { refreshToken } = created
    const { body: rotated } = await api.call('POST', `${path}/${created.id}/refresh`, {
      refreshToken,
    })
    const second = await crm.next()
    assert.equal(second.body.type, 'webmessaging.guestsession.updated')
    const text = JSON.stringify(second)
    for (const secret of [refreshToken, rotated.refreshToken, rotated.accessToken]) {
      assert(!text.includes(String(secret)))
    }
  })

  it('E1 hear only what they asked for, and nothing when they are off or gone', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const crm = await receiver(t)
    const register = (change: Body) =>
      api.call('POST', '/api/v2/webhooks', { name: 'x', uri: crm.uri, ...change })
    const created = filters('webmessaging.guestsession.created')
    await register({ eventFilters: filters('something.else') })
    await register({ eventFilters: created, enabled: false })
    const { body: gone } = await register({ eventFilters: created })
    assert.equal((await api.call('DELETE', `/api/v2/webhooks/${gone.id}`)).status, 204)
    await register({ eventFilters: created, method: 'PUT' })
    // A receiver that is not there disturbs nobody.
    await register({ eventFilters: created, uri: 'http://127.0.0.1:9/' })

    await api.call('POST', '/api/v2/webmessaging/guest-sessions', session)

    assert.equal((await crm.next()).method, 'PUT')
    const { body: list } = await api.call('GET', '/api/v2/webhooks')
    assert.equal(list.total, 4)
  })

  it('E1 are refused when they make no sense, or by scope', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const good = { name: 'x', uri: 'https://crm.example/', eventFilters: filters('e') }

    for (const change of [{ name: '' }, { uri: 'crm' }, { eventFilters: [] }, { method: 'GET' }]) {
      const { status } = await api.call('POST', '/api/v2/webhooks', { ...good, ...change })
      assert.equal(status, 400, JSON.stringify(change))
    }
    const stranger = await signIn(simulator, 'webmessaging:guest')
    assert.equal((await stranger.call('POST', '/api/v2/webhooks', good)).status, 403)
  })
})
