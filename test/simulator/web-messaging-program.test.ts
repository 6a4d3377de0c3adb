import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { type Body, startTestSimulator } from './support.ts'

/**
 * A guest client as the published Guest API asks for one: reads the public configuration, dials with its Origin,
 * configures, sends nothing before the SessionResponse, takes the echo with its tracingId for the ack, orders by time
 * and drops what it has seen, and after a reconnect reads history with a new JWT.
 */
class HeadlessGuest {
  readonly token = crypto.randomUUID()
  readonly seen = new Map<string, Body>()
  session: Body = {}
  readonly #hosts: { cdn: string; api: string; webMessaging: string }
  readonly #deploymentId: string
  readonly #origin: string
  readonly #pending = new Map<string, (frame: Body) => void>()
  readonly #watchers = new Set<() => void>()
  #config: { autoStart: boolean } = { autoStart: false }
  #socket: WebSocket | undefined

  constructor(
    hosts: { cdn: string; api: string; webMessaging: string },
    deploymentId: string,
    origin: string,
  ) {
    this.#hosts = hosts
    this.#deploymentId = deploymentId
    this.#origin = origin
  }

  async start(): Promise<void> {
    const path = `/webdeployments/v1/deployments/${this.#deploymentId}/config.json`
    const config = (await (await fetch(this.#hosts.cdn + path)).json()) as {
      messenger: { apps: { conversations: { autoStart: { enabled: boolean } } } }
    }
    this.#config = { autoStart: config.messenger.apps.conversations.autoStart.enabled }
    await this.connect()
  }

  async connect(): Promise<void> {
    const query = new URLSearchParams({
      deploymentId: this.#deploymentId,
      application: 'headless-1.0.0',
    })
    const socket = new WebSocket(`${this.#hosts.webMessaging}/v1?${query}`, {
      headers: { Origin: this.#origin },
    })
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))))
    await once(socket, 'open')
    this.#socket = socket
    const response = await this.#request('configureSession', {
      deploymentId: this.#deploymentId,
      startNew: false,
    })
    assert.equal(response.class, 'SessionResponse')
    this.session = response.body as Body
    if (this.session.newSession && this.#config.autoStart) {
      const events = [{ eventType: 'Presence', presence: { type: 'Join' } }]
      await this.#request('onMessage', { message: { type: 'Event', events } })
    }
  }

  drop(): void {
    this.#socket?.terminate()
  }

  async say(text: string): Promise<Body> {
    return await this.#request('onMessage', { message: { type: 'Text', text } })
  }

  async choose({ quickReply }: { quickReply: Body }, originatingMessageId: unknown): Promise<Body> {
    const { text, payload } = quickReply
    const buttonResponse = { type: 'QuickReply', text, payload, originatingMessageId }
    const content = [{ contentType: 'ButtonResponse', buttonResponse }]
    return await this.#request('onMessage', { message: { type: 'Text', text: '', content } })
  }

  async clear(): Promise<void> {
    const events = [{ eventType: 'Presence', presence: { type: 'Clear' } }]
    await this.#request('onMessage', { message: { type: 'Event', events } })
    await this.until(() => this.session.connected === false)
    this.#socket?.close(1000, 'The user has closed the connection.')
  }

  async catchUp(): Promise<void> {
    const { body } = await this.#request('getJwt', {})
    for (let pageNumber = 1; ; pageNumber += 1) {
      const query = `?pageSize=2&pageNumber=${pageNumber}`
      const response = await fetch(`${this.#hosts.api}/api/v2/webmessaging/messages${query}`, {
        headers: { Authorization: `Bearer ${(body as Body).jwt}`, Origin: this.#origin },
      })
      assert.equal(response.status, 200)
      const { entities } = (await response.json()) as { entities: Body[] }
      if (entities.length === 0) return
      for (const entity of entities) this.seen.set(String(entity.id), entity)
    }
  }

  /** What was said, by the time it was said. */
  transcript(): unknown[] {
    const timeOf = ({ channel }: Body) => String((channel as Body).time)
    return [...this.seen.values()]
      .filter(({ type }) => type !== 'Event')
      .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
      .map(({ direction, text }) => `${direction === 'Inbound' ? '>' : '<'} ${text ?? ''}`)
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => this.#watchers.add(resolve))
      this.#watchers.clear()
    }
  }

  #request(action: string, fields: Body): Promise<Body> {
    const tracingId = crypto.randomUUID()
    const { promise, resolve } = Promise.withResolvers<Body>()
    this.#pending.set(tracingId, resolve)
    this.#socket?.send(JSON.stringify({ action, token: this.token, tracingId, ...fields }))
    return promise
  }

  #receive(frame: Body): void {
    const body = frame.body as Body
    if (frame.class === 'StructuredMessage' && frame.type === 'message') {
      this.seen.set(String(body.id), body)
    }
    if (frame.class === 'ConnectionClosedEvent') this.session = { connected: false }
    this.#pending.get(String(frame.tracingId))?.(frame)
    for (const wake of this.#watchers) wake()
  }
}

describe('a guest client by the published API against the simulator', () => {
  it('joins, talks, chooses, is cut off, catches up and clears', { timeout: 20_000 }, async (t) => {
    const origin = 'https://www.example.com'
    const simulator = await startTestSimulator(t, {
      agent: true,
      agentDelayMs: 20,
      activationMs: 60,
      webMessaging: { deployment: { autoStart: true, allowedOrigins: [origin] } },
    })
    const { control, url } = simulator
    const hosts = { cdn: url, api: url, webMessaging: url.replace('http', 'ws') }
    const guest = new HeadlessGuest(hosts, '2f6e3a51-6a0d-4c9f-9b0e-5d6f2b7c1a11', origin)
    t.after(() => guest.drop())

    await guest.start()
    await guest.until(() => guest.transcript().length === 2)
    const echo = await guest.say('What are my options?')
    assert.equal((echo.body as Body).direction, 'Inbound')
    const isChoice = ({ type, direction }: Body) =>
      type === 'Structured' && direction === 'Outbound'
    await guest.until(() => [...guest.seen.values()].some(isChoice))
    const question = [...guest.seen.values()].find(isChoice)
    assert(question)
    const [yes] = question.content as [{ quickReply: Body }]
    await guest.choose(yes, question.id)
    await guest.until(() => guest.transcript().length === 6)

    control.configure({ agent: false })
    guest.drop()
    await control.sockets.settled(0)
    control.say(guest.token, { text: 'Are you still there?' })
    await guest.connect()
    assert.equal(guest.session.newSession, false)
    await guest.catchUp()

    const transcript = guest.transcript()
    assert.deepEqual(transcript.slice(0, 5), [
      '< Welcome to our support chat.',
      '< One moment, we are looking for somebody.',
      '> What are my options?',
      '< Is it about an order?',
      '> ',
    ])
    assert.equal(transcript.at(-1), '< Are you still there?')
    await guest.clear()
    assert.equal(control.conversation(guest.token), undefined)

    const kept = JSON.stringify([control.received.list(), control.state()])
    assert(!kept.includes(guest.token))
  })
})
