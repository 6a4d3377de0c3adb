import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startTestSimulator } from './support.ts'

/**
 * The published walk-through's own script, step for step, as somebody would write it who had only that page: one write
 * scope, a cached token, create, a pause of the routing time, inject, four tries of the whole with 2 to 10 s between.
 * Its two-second pause and its back-off are scaled down, like the simulator's routing time.
 */
class OAuthTokenManager {
  readonly #id: string
  readonly #secret: string
  readonly #baseUrl: string
  #token = ''
  #expiresAt = 0

  constructor(id: string, secret: string, baseUrl: string) {
    this.#id = id
    this.#secret = secret
    this.#baseUrl = baseUrl
  }

  async fetchToken(scopes: string[]): Promise<string> {
    if (this.#token && Date.now() < this.#expiresAt) return this.#token
    const encoded = Buffer.from(`${this.#id}:${this.#secret}`).toString('base64')
    const response = await fetch(`${this.#baseUrl}/oauth/token`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${encoded}`,
      },
      body: `grant_type=client_credentials&scope=${encodeURIComponent(scopes.join(' '))}`,
      signal: AbortSignal.timeout(15_000),
    })
    const data = await raiseForStatus(response)
    this.#token = data.access_token as string
    this.#expiresAt = Date.now() + ((data.expires_in as number) - 30) * 1_000
    return this.#token
  }
}

class HttpStatusError extends Error {}

async function raiseForStatus(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text()
  if (!response.ok) throw new HttpStatusError(`${response.status} ${text}`)
  return JSON.parse(text)
}

async function post(baseUrl: string, path: string, tokens: OAuthTokenManager, payload: unknown) {
  const token = await tokens.fetchToken(['webmessaging:guest:write'])
  const response = await fetch(`${baseUrl}${path}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      Accept: 'application/json',
    },
    body: JSON.stringify(payload),
  })
  return await raiseForStatus(response)
}

async function runWorkflow(tokens: OAuthTokenManager, baseUrl: string, queueId: string) {
  const guest = await post(baseUrl, '/api/v2/external/webmessaging/guests', tokens, {
    name: 'API Automated Guest',
    email: 'automation@example.com',
    languageCode: 'en-US',
    routingData: { queueId },
  })
  await sleep(200)
  const message = await post(
    baseUrl,
    `/api/v2/external/webmessaging/guests/${guest.id}/messages`,
    tokens,
    {
      type: 'text',
      text: 'This is an automated system message for testing purposes.',
      conversationId: guest.conversationId,
      author: { type: 'bot' },
    },
  )
  return { guestId: guest.id, conversationId: guest.conversationId, message }
}

async function withRetry<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof HttpStatusError) || tried === 4) throw error
      await sleep(Math.min(1_000, 200 * 2 ** (tried - 1)))
    }
  }
}

describe('the walk-through’s own program against the simulator', () => {
  it('creates a guest and injects its bot message with one token', async (t) => {
    const simulator = await startTestSimulator(t, { activationMs: 100 })
    const [client] = simulator.clients
    assert(client)
    const tokens = new OAuthTokenManager(client.id, client.secret, simulator.url)

    const result = await withRetry(() => runWorkflow(tokens, simulator.url, 'queue-1'))

    assert.match(String(result.message.id), /^msg-/)
    assert.equal(result.message.conversationId, result.conversationId)
    assert.equal(simulator.control.received.list('oauth').length, 1)
    const conversation = simulator.control.conversation(String(result.conversationId))
    assert.equal(conversation?.messages[0]?.author, 'bot')
  })

  it('gets through a quota that refuses it at first', async (t) => {
    const simulator = await startTestSimulator(t, { activationMs: 100 })
    const [client] = simulator.clients
    assert(client)
    simulator.control.faults.add({ kind: 'rate-limit', operation: 'external-guests', count: 2 })
    const tokens = new OAuthTokenManager(client.id, client.secret, simulator.url)

    const result = await withRetry(() => runWorkflow(tokens, simulator.url, 'queue-1'))

    assert.match(String(result.message.id), /^msg-/)
    const statuses = simulator.control.received.list('external-guests')
    assert.deepEqual(
      statuses.map(({ answeredStatus }) => answeredStatus),
      [429, 429, 201, 201],
    )
  })
})
