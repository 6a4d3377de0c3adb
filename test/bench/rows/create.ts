/** Sessions made on a stub platform, each with the question whether it is active and the commit of the answer. */
import { saturate } from '../load/saturate.ts'
import { cpuMicros } from '../machine.ts'
import { median } from '../numbers.ts'
import type { Server } from '../processes.ts'
import type { Row } from '../report.ts'
import { create } from '../requests.ts'
import { allActive } from '../sessions.ts'
import { startGateway, startProgram } from '../targets.ts'

const rounds = 3
const seconds = 2
const connections = 32
const requests = [create('/v1/sessions')]

export const createRow: Row = {
  name: 'create',
  async run(folder) {
    await using servers = new AsyncDisposableStack()
    const stub = servers.use(await startProgram(folder, 'stub', { on: 'load' }))
    const platform = stub.port
    const start = async (server: Promise<Server>) => ({
      server: servers.use(await server),
      perSecond: [] as number[],
      cpuMicros: [] as number[],
    })
    const off = await start(startGateway({ folder, platform }))
    const on = await start(startGateway({ folder, platform, quota: '1000000/1s' }))
    const forwarder = await start(startProgram(folder, 'forwarder', { platform }))

    for (let round = -1; round < rounds; round++) {
      for (const each of [off, on, forwarder]) {
        const { pid, port } = each.server
        const before = cpuMicros(pid)
        const load = { port, requests, connections, seconds }
        const made = await saturate(folder, load)
        // What is left to do of these must not burden the next one's round.
        if (each !== forwarder) await allActive(port)
        if (round < 0) continue
        each.perSecond.push(made.perSecond)
        each.cpuMicros.push((cpuMicros(pid) - before) / made.requests)
      }
    }
    const figure = (kind: 'perSecond' | 'cpuMicros', ours: typeof off) => {
      const beside = { forwarder: median(forwarder[kind]) }
      const value = median(ours[kind])
      const result = { value: value / beside.forwarder, of: '× forwarder' }
      return { row: 'create', ours: value, beside, result }
    }
    return [
      { ...figure('perSecond', off), measured: 'as many as go, quota off', unit: '/s' },
      { ...figure('cpuMicros', off), measured: 'CPU of one and its activation', unit: 'µs' },
      { ...figure('perSecond', on), measured: 'as many as go, Bottleneck on', unit: '/s' },
    ]
  },
}
