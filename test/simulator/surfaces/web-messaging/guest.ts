/** A bare client of the Guest API, and a simulator for it: the agent and its limits are off unless asked for. */
import type { TestContext } from 'node:test'
import type { SimulatorOptions } from '../../../../src/simulator/options.ts'
import { dial, type SocketClient } from '../../socket-client.ts'
import { type Body, startTestSimulator } from '../../support.ts'

export const deploymentId = '2f6e3a51-6a0d-4c9f-9b0e-5d6f2b7c1a11'

export interface Frame extends Body {
  type: string
  class: string
  code: number
  tracingId?: string
  body: Body
}

const noLimits = {
  messagesPerSession: 'off',
  requestsPerConnection: 'off',
  configuresPerSession: 'off',
  connectionsPerDeployment: 'off',
  historyReadsPerSession: 'off',
  echoesPerConnection: 'off',
  typingPerSession: 'off',
  idleSeconds: 'off',
  connectionAgeSeconds: 'off',
} as const

export async function guestScene(t: TestContext, options: Partial<SimulatorOptions> = {}) {
  const simulator = await startTestSimulator(t, {
    ...options,
    webMessaging: { limits: noLimits, ...options.webMessaging },
  })
  let numbered = 0
  const socketUrl = (deployment = deploymentId) =>
    `${simulator.url}/v1?deploymentId=${deployment}&application=test-1.0.0`
  const connect = async (token: string = crypto.randomUUID(), headers?: Record<string, string>) =>
    new Guest(await dial(t, socketUrl(), headers), token, () => {
      numbered += 1
      return `trace-${numbered}`
    })
  return {
    simulator,
    control: simulator.control,
    socketUrl,
    connect,
    /** Connected and configured. */
    guest: async (token?: string) => {
      const guest = await connect(token)
      await guest.configure()
      return guest
    },
    /** One more switch, beside those set before. */
    set: (webMessaging: SimulatorOptions['webMessaging']) =>
      void simulator.control.configure({ webMessaging }),
  }
}

export class Guest {
  readonly socket: SocketClient
  readonly token: string
  readonly #nextTrace: () => string

  constructor(socket: SocketClient, token: string, nextTrace: () => string) {
    this.socket = socket
    this.token = token
    this.#nextTrace = nextTrace
  }

  /** Sends it and waits for the frame with its tracingId. */
  async ask(action: string, fields: Body = {}): Promise<Frame> {
    const tracingId = this.send(action, fields)
    return (await this.socket.next((frame) => frame.tracingId === tracingId)) as Frame
  }

  send(action: string, fields: Body = {}): string {
    const tracingId = this.#nextTrace()
    this.socket.send({ action, token: this.token, tracingId, ...fields })
    return tracingId
  }

  configure(fields: Body = {}): Promise<Frame> {
    return this.ask('configureSession', { deploymentId, startNew: false, ...fields })
  }

  say(text: string, message: Body = {}): Promise<Frame> {
    return this.ask('onMessage', { message: { type: 'Text', text, ...message } })
  }

  presence(type: string): Promise<Frame> {
    const events = [{ eventType: 'Presence', presence: { type } }]
    return this.ask('onMessage', { message: { type: 'Event', events } })
  }

  typing(): string {
    const events = [{ eventType: 'Typing', typing: { type: 'On' } }]
    return this.send('onMessage', { message: { type: 'Event', events } })
  }

  /** The next frame of a class. */
  async next(name: string): Promise<Frame> {
    return (await this.socket.next((frame) => frame.class === name)) as Frame
  }

  /** Texts that came from the other side so far. */
  async heard(): Promise<unknown[]> {
    await this.socket.pong()
    return (this.socket.frames as Frame[])
      .filter(({ body }) => body?.direction === 'Outbound' && body.type !== 'Event')
      .map(({ body }) => body.text)
  }

  /** The classes of everything that came so far. */
  async classes(): Promise<unknown[]> {
    await this.socket.pong()
    return this.socket.frames.map((frame) => frame.class)
  }
}
