/** The closed loop by wrk, which costs far less than anything in JavaScript. */
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import type { Load, Throughput } from './load.ts'

const run = promisify(execFile)

/** `folder` takes its script. */
export async function wrkLoop(wrk: string, folder: string, load: Load): Promise<Throughput> {
  const script = path.join(folder, `load-${load.port}.lua`)
  writeFileSync(script, luaOf(load.requests))
  const { stdout } = await run(wrk, [
    ...['-t', '1', '-c', String(load.connections), '-d', `${load.seconds}s`],
    ...['--latency', '-s', script, `http://127.0.0.1:${load.port}`],
  ])
  const refused = /Non-2xx or 3xx responses.*|Socket errors.*/.exec(stdout)?.[0]
  if (refused) throw new Error(`port ${load.port}: ${refused}`)
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]),
    p50Ms: milliseconds(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
    p99Ms: milliseconds(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
  }
}

/** JSON's strings are Lua's as long as they are ASCII. */
function luaOf(requests: readonly string[]): string {
  const texts = requests.map((request) => JSON.stringify(request)).join(',\n')
  return `local requests = {\n${texts}\n}
local sent = 0
function request()
  sent = sent + 1
  return requests[sent % #requests + 1]
end
`
}

const units: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000 }

function milliseconds(text = ''): number {
  const [, value, unit = ''] = /^([\d.]+)(us|ms|s|m)$/.exec(text) ?? []
  return Number(value) * (units[unit] ?? Number.NaN)
}
