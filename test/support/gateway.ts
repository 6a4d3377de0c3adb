/** A gateway on its own port, talking to a simulator that is a server of its own; both end with the test. */
import { Writable } from 'node:stream'
import type { TestContext } from 'node:test'
import { type Gateway, type Overrides, startGateway } from '../../src/gateway.ts'
import { createLogger } from '../../src/logger.ts'
import { parseSettings } from '../../src/settings.ts'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import './wire/watch.ts'

export interface Answer {
  status: number
  headers: Headers
  // What a route answers is checked where it is used; the tests of schemas check all of it.
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  body: any
}

export interface TestGateway {
  gateway: Gateway
  simulator: Simulator
  url: string
  /** Every log line so far. */
  logs: string[]
  /** A request with the admin key; `body` goes as JSON unless it is a string. */
  api(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
}

export const adminKey = 'test-admin-key'
export const keys = 'admin:admin:test-admin-key,app:app:test-app-key,ops:ops:test-ops-key'

export interface TestOptions {
  simulator?: Partial<SimulatorOptions>
  environment?: Record<string, string>
  overrides?: Overrides
}

export async function startTestGateway(
  t: Pick<TestContext, 'after'>,
  { simulator: options, environment, overrides }: TestOptions = {},
): Promise<TestGateway> {
  const simulator = await startSimulator({
    port: 0,
    seed: 'test',
    activationMs: 0,
    rateLimit: 'off',
    agent: false,
    ...options,
  })
  t.after(() => simulator[Symbol.asyncDispose]())
  const started = await startAgainst(
    { ...platformIs(simulator), ALLOWED_ORIGINS: 'https://shop.example', ...environment },
    overrides,
  )
  t.after(() => started.gateway[Symbol.asyncDispose]())
  return { ...started, simulator }
}

/** Settings for which a simulator is the platform, with all its dialects. */
export function platformIs({ url, clients: [client] }: Simulator): Record<string, string> {
  return {
    GENESYS_BASE_URL: url,
    GENESYS_CLIENT_ID: client?.id ?? '',
    GENESYS_CLIENT_SECRET: client?.secret ?? '',
    GENESYS_RATE_LIMIT: 'off',
    GENESYS_MESSAGING_WS_URL: url.replace('http', 'ws'),
    GENESYS_WEB_MESSAGING_URL: url.replace('http', 'ws'),
    GENESYS_CHANNEL_CONFIG_ID: 'channel-test',
    GENESYS_DEPLOYMENT_ID: '2f6e3a51-6a0d-4c9f-9b0e-5d6f2b7c1a11',
  }
}

/** A gateway against whatever platform the environment names. The caller ends it. */
export async function startAgainst(
  environment: Record<string, string>,
  overrides?: Overrides,
): Promise<Omit<TestGateway, 'simulator'>> {
  const settings = parseSettings({
    PORT: '0',
    API_KEYS: keys,
    STORE: 'memory',
    GENESYS_TARGET_QUEUE_ID: 'queue-test',
    ...environment,
  })
  const logs: string[] = []
  const logger = createLogger(
    'trace',
    new Writable({
      write(chunk, _encoding, done) {
        logs.push(String(chunk))
        done()
      },
    }),
  )
  const gateway = await startGateway(settings, logger, '0.0.0-test', overrides)
  return {
    gateway,
    url: gateway.url,
    logs,
    api: (method, path, body, headers) => request(gateway.url, method, path, body, headers),
  }
}

export async function request(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${adminKey}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = response.headers.get('content-type')?.includes('json') && text !== ''
  const ndjson = response.headers.get('content-type')?.includes('ndjson')
  return {
    status: response.status,
    headers: response.headers,
    body: json && !ndjson ? JSON.parse(text) : text,
  }
}
