/** The gateway as operators run it: `node src/main.ts` in a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { type Answer, keys, request } from './gateway.ts'
import './wire/watch.ts'

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

export type Environment = Record<string, string>

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface GatewayProcess {
  url: string
  pid: number
  /** Every line it has printed so far, both streams. */
  lines: string[]
  exited: Promise<Exit>
  /** A request with the admin key; rejects when the process does not answer. */
  api(
    method: string,
    route: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>
  /** Reads its stdout no more, as a pipe's reader that has ended. */
  stopReading(): void
  /** SIGKILL: it hears nothing of it. */
  kill(): Promise<void>
  /** SIGTERM; resolves with how it ended and how long that took. */
  stop(): Promise<Exit & { tookMs: number }>
}

type Scope = Pick<TestContext, 'after'>

/** Live settings against a simulator; `environment` wins. */
export function settingsFor(simulator: Simulator, environment: Environment = {}): Environment {
  const [client] = simulator.clients
  return {
    PORT: '0',
    API_KEYS: keys,
    GENESYS_BASE_URL: simulator.url,
    GENESYS_CLIENT_ID: client?.id ?? '',
    GENESYS_CLIENT_SECRET: client?.secret ?? '',
    GENESYS_TARGET_QUEUE_ID: 'queue-test',
    GENESYS_RATE_LIMIT: 'off',
    ...environment,
  }
}

/** Starts it and waits until it listens, and so serves; fails with what it printed when it ends instead. */
export async function startGatewayProcess(
  t: Scope,
  folder: string,
  environment: Environment,
): Promise<GatewayProcess> {
  const { child, lines, exited, printed } = spawnGateway(t, folder, environment)
  const listening = await Promise.race([printed('"msg":"listening"'), exited])
  if (typeof listening !== 'string') throw new Error(`it did not start:\n${lines.join('\n')}`)
  const { url } = JSON.parse(listening) as { url: string }
  return {
    url,
    pid: child.pid ?? 0,
    lines,
    exited,
    api: (method, route, body, headers) => request(url, method, route, body, headers),
    stopReading: () => child.stdout?.destroy(),
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    stop: async () => {
      const askedAt = performance.now()
      child.kill('SIGTERM')
      return { ...(await exited), tookMs: performance.now() - askedAt }
    },
  }
}

/** Runs it where it is expected to end by itself. `under`: a program that starts it, such as `prlimit` with its options. */
export async function runGatewayProcess(
  t: Scope,
  folder: string,
  environment: Environment,
  under: readonly string[] = [],
) {
  const { lines, exited } = spawnGateway(t, folder, environment, under)
  return { ...(await exited), output: lines.join('\n') }
}

function spawnGateway(
  t: Scope,
  folder: string,
  environment: Environment,
  under: readonly string[] = [],
) {
  const [command = process.execPath, ...args] = [...under, process.execPath, program]
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines: string[] = []
  const waiting = new Set<(line: string) => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const hear of waiting) hear(line)
    })
  }
  const printed = (text: string) =>
    new Promise<string>((resolve) => {
      waiting.add((line) => line.includes(text) && resolve(line))
    })
  return { child, lines, exited: exitOf(child), printed }
}

async function exitOf(child: ChildProcess): Promise<Exit> {
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  return { code, signal }
}
