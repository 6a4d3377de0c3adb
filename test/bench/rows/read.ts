/** One session read by its id, with its key checked, against Fastify's hello world. */
import path from 'node:path'
import { saturate } from '../load/saturate.ts'
import { cpuMicros } from '../machine.ts'
import { median } from '../numbers.ts'
import type { Row } from '../report.ts'
import { read } from '../requests.ts'
import { seed, seededId } from '../seed.ts'
import { startGateway, startProgram } from '../targets.ts'

const rounds = 5
const seconds = 2
const connections = 32
const sessions = 1000

export const readRow: Row = {
  name: 'read',
  async run(folder) {
    const store = path.join(folder, 'read.db')
    await seed(store, sessions, 'active')
    await using stub = await startProgram(folder, 'stub', { on: 'load' })
    await using gateway = await startGateway({ folder, platform: stub.port, store })
    await using hello = await startProgram(folder, 'hello')
    const target = (server: typeof hello, requests: string[]) => {
      return { server, requests, perSecond: [] as number[], cpuMicros: [] as number[] }
    }
    const reads = Array.from({ length: sessions }, (_, at) => read(`/v1/sessions/${seededId(at)}`))
    const ours = target(gateway, reads)
    const bare = target(hello, [read('/')])

    for (let round = -1; round < rounds; round++) {
      for (const each of [ours, bare]) {
        const { pid, port } = each.server
        const before = cpuMicros(pid)
        const done = await saturate(folder, { port, requests: each.requests, connections, seconds })
        if (round < 0) continue
        each.perSecond.push(done.perSecond)
        each.cpuMicros.push((cpuMicros(pid) - before) / done.requests)
      }
    }
    const figure = (kind: 'perSecond' | 'cpuMicros') => {
      const beside = { 'hello world': median(bare[kind]) }
      const value = median(ours[kind])
      const result = { value: value / beside['hello world'], of: '× hello world' }
      return { row: 'read', ours: value, beside, result }
    }
    return [
      { ...figure('perSecond'), measured: 'as many as go', unit: '/s', goal: { atLeast: 0.75 } },
      { ...figure('cpuMicros'), measured: 'CPU of one', unit: 'µs' },
    ]
  },
}
