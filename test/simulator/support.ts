/** A simulator for one test, and a bare HTTP client of the external-guests surface that knows only its documents. */
import type { TestContext } from 'node:test'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'

export type Body = Record<string, unknown>

export interface Reply {
  status: number
  headers: Headers
  body: Body
}

/** Seeded, with the agent off and no quota unless the test wants them; gone when the test is. */
export async function startTestSimulator(
  t: TestContext,
  options: Partial<SimulatorOptions> = {},
): Promise<Simulator> {
  const simulator = await startSimulator({
    seed: 'test',
    agent: false,
    rateLimit: 'off',
    ...options,
  })
  t.after(() => simulator[Symbol.asyncDispose]())
  return simulator
}

export async function requestToken(
  simulator: Simulator,
  form: Record<string, string> = { grant_type: 'client_credentials' },
  client = simulator.clients[0],
): Promise<Reply> {
  const basic = Buffer.from(`${client?.id}:${client?.secret}`).toString('base64')
  return read(
    await fetch(`${simulator.url}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(form),
    }),
  )
}

/** JSON calls with one bearer token. */
export async function signIn(simulator: Simulator, scope?: string, client = simulator.clients[0]) {
  const form = { grant_type: 'client_credentials', ...(scope !== undefined && { scope }) }
  const token = String((await requestToken(simulator, form, client)).body.access_token)
  return caller(simulator, token)
}

export function caller(simulator: Simulator, token: string) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const guests = '/api/v2/external/webmessaging/guests'
  const call = async (method: string, path: string, body?: unknown): Promise<Reply> =>
    read(
      await fetch(simulator.url + path, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    )
  return {
    token,
    call,
    create: (guest: unknown = { name: 'Ada', routingData: { queueId: 'queue-1' } }) =>
      call('POST', guests, guest),
    status: (guest: Body) => call('GET', `${guests}/${guest.id}`),
    send: (guest: Body, message: Body = {}) =>
      call('POST', `${guests}/${guest.id}/messages`, {
        type: 'text',
        text: 'Hello from the bot',
        conversationId: guest.conversationId,
        author: { type: 'bot' },
        ...message,
      }),
    transcript: async (guest: Body) => {
      const { body } = await call('GET', `${guests}/${guest.id}/messages`)
      return body.entities as { text: string; author: { type: string } }[]
    },
  }
}

/** A guest that somebody is already there for. */
export async function activeGuest(
  simulator: Simulator,
  api: ReturnType<typeof caller>,
): Promise<Body> {
  const { body } = await api.create()
  simulator.control.advanceClock(10_000)
  return body
}

async function read(response: Response): Promise<Reply> {
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    body: text === '' ? {} : JSON.parse(text),
  }
}
