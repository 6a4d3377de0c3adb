import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { describe, it, type TestContext } from 'node:test'
import { listen } from '../support/ports.ts'
import { type Body, startTestSimulator } from './support.ts'

/**
 * The two published walk-throughs of this surface as programs, step for step: the SDK calls written out as the HTTP
 * requests they say they are, the analytics endpoint a real one.
 */
class PlatformClient {
  readonly #baseUrl: string
  readonly #id: string
  readonly #secret: string
  #token: string | undefined

  constructor(baseUrl: string, id: string, secret: string) {
    this.#baseUrl = baseUrl
    this.#id = id
    this.#secret = secret
  }

  async post(path: string, body: unknown): Promise<{ status: number; body: Body }> {
    this.#token ??= await this.#login()
    const response = await fetch(`${this.#baseUrl}${path}`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${this.#token}`,
        'Content-Type': 'application/json',
        Accept: 'application/json',
      },
      body: JSON.stringify(body),
    })
    return { status: response.status, body: (await response.json()) as Body }
  }

  async #login(): Promise<string> {
    const response = await fetch(`${this.#baseUrl}/oauth/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${this.#id}:${this.#secret}`).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials',
    })
    return String(((await response.json()) as Body).access_token)
  }
}

async function analyticsEndpoint(t: TestContext) {
  const events: Body[] = []
  const server = createServer(async (request, response) => {
    events.push(JSON.parse(Buffer.concat(await request.toArray()).toString()))
    response.writeHead(202).end()
  })
  const port = await listen(server)
  t.after(() => server.close())
  return { url: `http://127.0.0.1:${port}/ingest`, events }
}

async function notify(url: string, source: string, event: Body): Promise<void> {
  const headers = { 'Content-Type': 'application/json', 'X-Source': source }
  await fetch(url, { method: 'POST', headers, body: JSON.stringify(event) })
}

describe('the walk-throughs’ own programs against the conversations surface', () => {
  it('G8 G9 the initializer opens a session and tells analytics', async (t) => {
    const simulator = await startTestSimulator(t)
    const [client] = simulator.clients
    assert(client)
    const analytics = await analyticsEndpoint(t)
    const api = new PlatformClient(simulator.url, client.id, client.secret)
    const start = performance.now()

    const created = await api.post('/api/v2/conversations/messaging', {
      type: 'messaging',
      initiator: { type: 'external', id: 'guest-88421-uuid', name: 'Anonymous Visitor' },
      to: { id: 'routing-queue-id-from-admin', type: 'routingQueue' },
      metadata: {
        bot_score: 0.12,
        source_channel: 'marketing_landing',
        external_session_id: 'ext-track-9921',
      },
    })
    const { conversationId, initiator } = created.body as {
      conversationId: string
      initiator: Body
    }
    await notify(analytics.url, 'genesys-messaging-init', {
      event: 'session_started',
      timestamp: new Date().toISOString(),
      conversation_id: conversationId,
      visitor_id: initiator.id,
      latency_ms: performance.now() - start,
    })

    assert.equal(created.status, 201)
    assert.equal(initiator.id, 'guest-88421-uuid')
    assert.equal(analytics.events[0]?.conversation_id, conversationId)
  })

  it('M2 the transmitter sends into a conversation it never created', async (t) => {
    const simulator = await startTestSimulator(t)
    const [client] = simulator.clients
    assert(client)
    const api = new PlatformClient(simulator.url, client.id, client.secret)

    const answer = await api.post('/api/v2/conversations/messaging/messages', {
      from: { id: 'guest-session-9f8e7d', type: 'user' },
      to: { id: 'conv-web-msg-1234', type: 'conversation' },
      body: {
        contentType: 'text/plain',
        content: 'Transmitting validated message with session reference.',
      },
      metadata: { readReceipt: true, transmissionTimestamp: new Date().toISOString() },
    })

    assert.equal(answer.status, 200)
    assert.equal(answer.body.deliveryStatus, 'delivered')
    assert.deepEqual(answer.body.from, { id: 'guest-session-9f8e7d', type: 'user' })
    const rest = Object.keys(answer.body)
    assert.deepEqual(rest, ['id', 'from', 'to', 'body', 'sentTime', 'deliveryStatus'])
  })
})
