/**
 * One session read by its id, with its key checked, against Fastify's hello world, and against the same answer from
 * Fastify with nothing done for it: what its headers and its length cost alone.
 */
import path from 'node:path'
import { saturate } from '../load/saturate.ts'
import { cpuMicros } from '../machine.ts'
import { median } from '../numbers.ts'
import type { Row } from '../report.ts'
import { appKey, read } from '../requests.ts'
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
    await using hello = await startProgram(folder, 'hello', {
      environment: { ANSWER: await answerOf(gateway.port) },
    })
    const target = (server: typeof hello, requests: string[]) => {
      return { server, requests, perSecond: [] as number[], cpuMicros: [] as number[] }
    }
    const reads = Array.from({ length: sessions }, (_, at) => read(`/v1/sessions/${seededId(at)}`))
    const ours = target(gateway, reads)
    const bare = target(hello, [read('/')])
    const same = target(hello, [read('/answer')])

    for (let round = -1; round < rounds; round++) {
      for (const each of [ours, bare, same]) {
        const { pid, port } = each.server
        const before = cpuMicros(pid)
        const done = await saturate(folder, { port, requests: each.requests, connections, seconds })
        if (round < 0) continue
        each.perSecond.push(done.perSecond)
        each.cpuMicros.push((cpuMicros(pid) - before) / done.requests)
      }
    }
    const figure = (kind: 'perSecond' | 'cpuMicros') => {
      const beside = {
        'hello world': median(bare[kind]),
        'the same answer': median(same[kind]),
      }
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

/** What the gateway answers, as JSON. */
async function answerOf(port: number): Promise<string> {
  const url = `http://127.0.0.1:${port}/v1/sessions/${seededId(0)}`
  const answer = await fetch(url, { headers: { authorization: `Bearer ${appKey}` } })
  const ofTheConnection = ['connection', 'keep-alive', 'date', 'content-length']
  const headers = [...answer.headers].filter(([name]) => !ofTheConnection.includes(name))
  return JSON.stringify({ headers: Object.fromEntries(headers), body: await answer.text() })
}
