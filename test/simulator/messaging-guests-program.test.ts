import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { type Body, startTestSimulator } from './support.ts'

/**
 * The published walk-through's program, step for step: authenticate, register, connect, send and take the next frame
 * for the ack, listen until it is quiet or closed, send a follow-up. What differs: the messaging host is a setting
 * (the page builds it in two ways), the Basic header is encoded, and its waits are shorter.
 */
class GenesysHeadlessChat {
  readonly transcript: Body[] = []
  readonly acks: Body[] = []
  readonly #hosts: { base: string; messaging: string }
  readonly #client: { id: string; secret: string }
  #socket: WebSocket | undefined
  #unread: Body[] = []
  #wake: () => void = () => undefined

  constructor(hosts: { base: string; messaging: string }, client: { id: string; secret: string }) {
    this.#hosts = hosts
    this.#client = client
  }

  async run(quietMs: number): Promise<void> {
    const token = await this.#getOAuthToken()
    const guest = await this.#registerGuest(token)
    const { id, conversationId, webChatToken } = guest as Record<string, string>
    const socket = await this.#connect(`${id}`, `${webChatToken}`)
    try {
      await this.#send(`${conversationId}`, `${id}`, 'Hello, I need assistance with my order.')
      await this.#listen(quietMs)
      if (socket.readyState === WebSocket.OPEN) {
        await this.#send(`${conversationId}`, `${id}`, 'Thank you for the quick response.')
        await this.#listen(quietMs)
      }
    } finally {
      socket.close()
    }
  }

  async #getOAuthToken(): Promise<string> {
    const { id, secret } = this.#client
    const response = await fetch(`${this.#hosts.base}/oauth/token`, {
      method: 'POST',
      headers: {
        Authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'grant_type=client_credentials&scope=webchat:guest:read+webchat:guest:write+webchat:guest:send',
    })
    assert(response.ok)
    return String(((await response.json()) as Body).access_token)
  }

  async #registerGuest(token: string): Promise<Body> {
    const response = await fetch(`${this.#hosts.base}/api/v2/conversations/messaging/guests`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({
        name: 'Test Guest',
        email: 'test@example.com',
        locale: 'en-US',
        queueId: 'queue-1',
        routingData: { priority: 1, skillRequirements: [] },
      }),
    })
    assert(response.ok)
    return (await response.json()) as Body
  }

  async #connect(guestId: string, webChatToken: string): Promise<WebSocket> {
    const path = `/api/v2/conversations/messaging/guests/${guestId}/websocket`
    const url = `${this.#hosts.messaging}${path}?webChatToken=${webChatToken}`
    const socket = new WebSocket(url)
    socket.on('message', (data) => {
      this.#unread.push(JSON.parse(String(data)))
      this.#wake()
    })
    await once(socket, 'open')
    this.#socket = socket
    return socket
  }

  async #send(conversationId: string, senderId: string, text: string): Promise<void> {
    const payload = { type: 'message', conversationId, senderId, text, messageType: 'text' }
    this.#socket?.send(JSON.stringify(payload))
    const ack = await this.#receive(10_000)
    assert.equal(ack?.type, 'ack')
    this.acks.push(ack)
  }

  async #listen(quietMs: number): Promise<void> {
    for (;;) {
      const frame = await this.#receive(quietMs)
      if (!frame) return
      this.transcript.push(frame)
      if (frame.type === 'conversationMetadata' && frame.event === 'closed') return
    }
  }

  async #receive(timeoutMs: number): Promise<Body | undefined> {
    if (this.#unread.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      const timer = setTimeout(resolve, timeoutMs)
      await promise
      clearTimeout(timer)
    }
    return this.#unread.shift()
  }
}

describe('the walk-through’s own program against the messaging-guests surface', () => {
  it('sends, is acknowledged, hears the agent and sends again', async (t) => {
    const simulator = await startTestSimulator(t, {
      agent: true,
      agentDelayMs: 20,
      activationMs: 50,
    })
    const [client] = simulator.clients
    assert(client)
    const messaging = simulator.url.replace('http', 'ws')
    const chat = new GenesysHeadlessChat({ base: simulator.url, messaging }, client)

    await chat.run(400)

    assert.equal(chat.acks.length, 2)
    const kinds = chat.transcript.map(({ type, event }) => event ?? type)
    assert.deepEqual(kinds, ['agentJoined', 'typing', 'message', 'typing', 'message'])
    const [id] = chat.acks.map(({ conversationId }) => String(conversationId))
    assert.equal(simulator.control.conversation(id ?? '')?.messages.length, 4)
  })
})
