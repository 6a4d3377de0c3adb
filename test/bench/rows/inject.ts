/**
 * Messages through to a stub platform, over a thousand active sessions: as many as go, then a fixed 500 a second.
 * Beside it, in the same rounds: the stub itself, a bare forwarder, and nginx.
 */
import path from 'node:path'
import { until } from '../../support/until.ts'
import { openLoop } from '../load/open-loop.ts'
import { saturate } from '../load/saturate.ts'
import { cpuMicros } from '../machine.ts'
import { median } from '../numbers.ts'
import type { Server } from '../processes.ts'
import type { Figure, Row } from '../report.ts'
import { call, inject } from '../requests.ts'
import { seed, seededId } from '../seed.ts'
import { guestsPath } from '../servers/platform.ts'
import { startGateway, startNginx, startProgram } from '../targets.ts'

const rounds = 4
const seconds = 2
const warmUpSeconds = 4
const connections = 32
const paced = { rounds: 3, perSecond: 500, seconds: 2 }
const sessions = 1000
/** Never in the way, but asked for every call. */
const loose = { limit: 1_000_000, setting: '1000000/1s' }

interface Target {
  server: Server
  requests: string[]
  perSecond: number[]
  cpuMicros: number[]
  p50Ms: number[]
  p99Ms: number[]
}

const injects = Array.from({ length: sessions }, (_, index) =>
  inject(`/v1/sessions/${seededId(index)}/messages`),
)
const direct = [inject(`${guestsPath}/guest-1/messages`)]

export const injectRow: Row = {
  name: 'inject',
  async run(folder) {
    await using servers = new AsyncDisposableStack()
    const stub = servers.use(await startProgram(folder, 'stub', { on: 'load' }))
    const gateway = async (quota: string, name: string) => {
      const store = path.join(folder, `${name}.db`)
      await seed(store, sessions, 'active')
      return servers.use(await startGateway({ folder, platform: stub.port, store, quota }))
    }
    const off = target(await gateway('off', 'quota-off'), injects)
    const on = target(await gateway(loose.setting, 'quota-on'), injects)
    const forwarder = target(
      servers.use(await startProgram(folder, 'forwarder', { platform: stub.port })),
      injects,
    )
    const alone = target(servers.use(await startProgram(folder, 'stub')), direct)
    const nginxServer = servers.use((await startNginx(folder, stub.port)) ?? null)
    const nginx = nginxServer ? { nginx: target(nginxServer, direct) } : {}
    const baselines: Record<string, Target> = { forwarder, ...nginx, 'stub alone': alone }

    const targets = [off, on, ...Object.values(baselines)]
    for (const each of targets) {
      const warmUp = load(folder, each, warmUpSeconds)
      await (each === on ? Promise.all([warmUp, quotaIsAsked(on.server)]) : warmUp)
    }
    for (let round = 0; round < rounds; round++) {
      for (const each of targets) await measure(folder, each)
    }
    for (let round = 0; round < paced.rounds; round++) {
      for (const each of targets) await measurePaced(each)
    }
    return [
      ...saturated('quota off', off, baselines, 0.6),
      ...saturated('Bottleneck on', on, baselines, 0.3),
      ...added('quota off', off, alone, baselines),
      ...added('Bottleneck on', on, alone, baselines, 2),
    ]
  },
}

function target(server: Server, requests: string[]): Target {
  return { server, requests, perSecond: [], cpuMicros: [], p50Ms: [], p99Ms: [] }
}

function load(folder: string, { server, requests }: Target, forSeconds: number) {
  return saturate(folder, { port: server.port, requests, connections, seconds: forSeconds })
}

async function measure(folder: string, each: Target): Promise<void> {
  const before = cpuMicros(each.server.pid)
  const { perSecond, requests } = await load(folder, each, seconds)
  each.perSecond.push(perSecond)
  each.cpuMicros.push((cpuMicros(each.server.pid) - before) / requests)
}

async function measurePaced(each: Target): Promise<void> {
  const { p50Ms, p99Ms } = await openLoop({
    port: each.server.port,
    requests: each.requests,
    perSecond: paced.perSecond,
    seconds: paced.seconds,
  })
  each.p50Ms.push(p50Ms)
  each.p99Ms.push(p99Ms)
}

/** Measuring with a quota that is not there would be easy. */
async function quotaIsAsked(server: Server): Promise<void> {
  const url = `http://127.0.0.1:${server.port}/v1/stats`
  await until('the quota counts the calls', async () => {
    const stats = (await call('GET', url)) as { quota: { limit: number; used: number }[] }
    return stats.quota.some(({ limit, used }) => limit === loose.limit && used > 0)
  })
}

function saturated(
  what: string,
  ours: Target,
  baselines: Record<string, Target>,
  atLeast: number,
): Figure[] {
  const figure = (kind: 'perSecond' | 'cpuMicros') => {
    const beside = ofEach(baselines, (each) => median(each[kind]))
    const value = median(ours[kind])
    const result = { value: value / (beside.forwarder ?? Number.NaN), of: '× forwarder' }
    return { row: 'inject', ours: value, beside, result }
  }
  return [
    { ...figure('perSecond'), measured: `as many as go, ${what}`, unit: '/s', goal: { atLeast } },
    { ...figure('cpuMicros'), measured: `CPU of one, ${what}`, unit: 'µs' },
  ]
}

/** What a request takes longer than without anybody in between. */
function added(
  what: string,
  ours: Target,
  alone: Target,
  { 'stub alone': _, ...others }: Record<string, Target>,
  p50AtMost?: number,
): Figure[] {
  return (['p50Ms', 'p99Ms'] as const).map((kind) => {
    const over = (each: Target) => median(each[kind]) - median(alone[kind])
    return {
      row: 'inject',
      measured: `added ${kind.slice(0, 3)} at ${paced.perSecond}/s, ${what}`,
      unit: 'ms',
      ours: over(ours),
      beside: ofEach(others, over),
      ...(kind === 'p50Ms' && p50AtMost !== undefined && { goal: { atMost: p50AtMost } }),
    }
  })
}

function ofEach<T>(all: Record<string, T>, read: (one: T) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(all).map(([name, one]) => [name, read(one)]))
}
