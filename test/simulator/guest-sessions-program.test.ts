import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'ws'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { type Body, startTestSimulator } from './support.ts'

/**
 * The published walk-through's program, class for class, as somebody would write it who had only that page: form
 * credentials, the consent rules, retries of a 429, the sliding window of the token, the socket with its handshake.
 */
const strictConsentRegions = ['EU', 'UK', 'CA', 'BR']
const frameGapMs = 20

class GenesysAuthManager {
  readonly baseUrl: string
  readonly #credentials: { id: string; secret: string }
  #cache: { token: string; expiresAt: number } | undefined

  constructor(baseUrl: string, credentials: { id: string; secret: string }) {
    this.baseUrl = baseUrl
    this.#credentials = credentials
  }

  async getAccessToken(): Promise<string> {
    if (this.#cache && Date.now() < this.#cache.expiresAt - 300_000) return this.#cache.token
    const response = await fetch(`${this.baseUrl}/oauth/token`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: this.#credentials.id,
        client_secret: this.#credentials.secret,
        scope: 'webmessaging:guest webmessaging:guest:write webhooks:readwrite',
      }).toString(),
    })
    const data = (await response.json()) as { access_token: string; expires_in: number }
    this.#cache = { token: data.access_token, expiresAt: Date.now() + data.expires_in * 1_000 }
    return data.access_token
  }

  async post(path: string, body: unknown): Promise<Response> {
    return await fetch(this.baseUrl + path, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${await this.getAccessToken()}`,
        'Content-Type': 'application/json',
      },
      body: JSON.stringify(body),
    })
  }
}

class GuestSessionManager {
  readonly sessions = new Map<string, { data: Body; messages: number }>()
  readonly #auth: GenesysAuthManager
  readonly #channelConfigId: string
  readonly #allowedOrigins: string[]

  constructor(auth: GenesysAuthManager, channelConfigId: string, allowedOrigins: string[]) {
    this.#auth = auth
    this.#channelConfigId = channelConfigId
    this.#allowedOrigins = allowedOrigins
  }

  async createSession(region: string, consent: Record<string, boolean>): Promise<Body> {
    if (strictConsentRegions.includes(region) && !(consent.marketing && consent.personalization)) {
      throw new Error(`Region ${region} requires explicit marketing and personalization consent.`)
    }
    const now = new Date().toISOString()
    const payload = {
      channelConfigurationId: this.#channelConfigId,
      guestId: crypto.randomUUID(),
      guestAttributes: { source: 'web', region, timestamp: now },
      consent: { ...consent, consentTimestamp: now },
    }
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const response = await this.#auth.post('/api/v2/webmessaging/guest-sessions', payload)
      const body = (await response.json()) as Body
      if (response.status === 429) {
        const retryAfterMs = Number(response.headers.get('Retry-After') ?? 2) * 10
        await sleep(retryAfterMs * attempt)
        continue
      }
      if (!response.ok) throw new Error(`${response.status} ${JSON.stringify(body)}`)
      this.sessions.set(String(body.id), { data: body, messages: 0 })
      return body
    }
    throw new Error('Rate limit exceeded after retries')
  }

  shouldRefresh(id: string): boolean {
    const expiresAt = Date.parse(String(this.sessions.get(id)?.data.expiresAt))
    return Date.now() + 15 * 60_000 > expiresAt
  }

  async rotateIfNeeded(id: string): Promise<void> {
    const session = this.sessions.get(id)
    if (!session || !this.shouldRefresh(id)) return
    const path = `/api/v2/webmessaging/guest-sessions/${id}/refresh`
    const response = await this.#auth.post(path, { refreshToken: session.data.refreshToken })
    assert(response.ok)
    Object.assign(session.data, await response.json())
  }

  async initiateConversation(id: string, origin: string): Promise<WebSocket> {
    const session = this.sessions.get(id)
    assert(session)
    if (!this.#allowedOrigins.includes(origin)) throw new Error(`Origin ${origin} is not allowed`)
    const url = `${session.data.websocketUrl}?access_token=${session.data.accessToken}`
    const socket = new WebSocket(url, { headers: { Origin: origin } })
    await once(socket, 'open')
    await this.send(socket, { type: 'handshake', guestSessionId: id })
    session.messages += 1
    return socket
  }

  async send(socket: WebSocket, payload: object): Promise<void> {
    socket.send(JSON.stringify({ ...payload, timestamp: new Date().toISOString() }))
    await sleep(frameGapMs)
  }
}

function managerOf(simulator: Simulator, origins = ['https://yourdomain.com']) {
  const [client] = simulator.clients
  assert(client)
  const auth = new GenesysAuthManager(simulator.url, client)
  return { auth, manager: new GuestSessionManager(auth, 'channel-config', origins) }
}

const allConsents = { marketing: true, personalization: true, analytics: true }

describe('the walk-through’s own program against the guest-sessions surface', () => {
  it('registers its webhook, opens a session and talks over the socket', async (t) => {
    const simulator = await startTestSimulator(t, {
      agent: true,
      agentDelayMs: 10,
      activationMs: 10,
      guestSessions: { allowedOrigins: ['https://yourdomain.com'] },
    })
    const { auth, manager } = managerOf(simulator)
    const webhook = await auth.post('/api/v2/webhooks', {
      name: 'GuestSessionCRMSync',
      uri: 'http://127.0.0.1:9/api/guest-sync',
      method: 'POST',
      enabled: true,
      eventFilters: [
        {
          predicate: {
            type: 'event',
            values: ['webmessaging.guestsession.created', 'webmessaging.guestsession.updated'],
          },
        },
      ],
      headers: { 'X-Source': 'GenesysWebMessaging', 'Content-Type': 'application/json' },
    })
    assert(((await webhook.json()) as Body).id)

    const session = await manager.createSession('EU', allConsents)
    const socket = await manager.initiateConversation(String(session.id), 'https://yourdomain.com')
    t.after(() => socket.terminate())
    const heard: Body[] = []
    const answered = new Promise<void>((resolve) => {
      socket.on('message', (data) => {
        heard.push(JSON.parse(String(data)))
        if (heard.at(-1)?.type === 'message') resolve()
      })
    })
    await manager.send(socket, { type: 'message', text: 'Hello' })
    await answered

    const types = heard.map(({ type }) => type).filter((type) => type !== 'handshakeAck')
    assert.deepEqual(types, ['ack', 'typing', 'message'])
    socket.close()
  })

  it('waits out a 429 and rotates its token inside the last quarter of an hour', async (t) => {
    const simulator = await startTestSimulator(t, {
      guestSessions: { guestTokenTtlSeconds: 600 },
    })
    const { manager } = managerOf(simulator)
    simulator.control.faults.add({ kind: 'rate-limit', operation: 'guest-sessions', count: 2 })

    const session = await manager.createSession('US', { ...allConsents, marketing: false })
    const before = { ...session }
    await manager.rotateIfNeeded(String(session.id))

    assert.notEqual(session.accessToken, before.accessToken)
    assert.notEqual(session.refreshToken, before.refreshToken)
    const socket = await manager.initiateConversation(String(session.id), 'https://yourdomain.com')
    socket.close()
  })
})
