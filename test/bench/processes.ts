/** Servers as processes of their own, ready when they answer, ended with the scope that started them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuMicros } from './machine.ts'

export interface Server extends AsyncDisposable {
  pid: number
  port: number
  /** From being started to its first answer. */
  readyMs: number
  /** CPU time it took for that. */
  readyCpuMs: number
}

export interface ServerCommand {
  name: string
  command: readonly string[]
  port: number
  /** Path that answers once it is ready. */
  probe: string
  /** Working directory; takes its output. */
  folder: string
  environment?: Record<string, string>
}

const readyWithinMs = 15_000
const endsWithinMs = 12_000
const probedEveryMs = 1

/** Nothing of this process' own settings reaches it but where programs are. */
export async function startServer(options: ServerCommand): Promise<Server> {
  const { name, command, port, probe, folder } = options
  const [program = '', ...rest] = command
  const output = path.join(folder, `${name}-${port}.log`)
  const handle = openSync(output, 'a')
  const startedAt = performance.now()
  const child = spawn(program, rest, {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: path.join(folder, 'compile-cache'),
      ...options.environment,
    },
    stdio: ['ignore', handle, handle],
  })
  closeSync(handle)
  const killed = () => child.kill('SIGKILL')
  process.once('exit', killed)
  child.once('exit', () => process.off('exit', killed))

  while (!(await answers(port, probe))) {
    const late = performance.now() - startedAt > readyWithinMs
    if (late || child.exitCode !== null || child.pid === undefined) {
      await end(child)
      throw new Error(`${name} does not answer:\n${readFileSync(output, 'utf8').slice(-2000)}`)
    }
    await pause(probedEveryMs)
  }
  return {
    pid: child.pid ?? 0,
    port,
    readyMs: performance.now() - startedAt,
    readyCpuMs: cpuMicros(child.pid ?? 0) / 1000,
    [Symbol.asyncDispose]: () => end(child),
  }
}

function answers(port: number, probe: string): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: probe, agent: false }, (response) => {
      response.resume()
      resolve(true)
    }).once('error', () => resolve(false))
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), endsWithinMs)
  await ended
  clearTimeout(patience)
}
