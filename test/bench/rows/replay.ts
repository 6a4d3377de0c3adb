/** How long a client takes to read all of a long session again, over either kind of stream. */
import { get } from 'node:http'
import path from 'node:path'
import { WebSocket } from 'ws'
import { median } from '../numbers.ts'
import type { Row } from '../report.ts'
import { appKey } from '../requests.ts'
import { seededId, seedTranscript } from '../seed.ts'
import { startGateway, startProgram } from '../targets.ts'

const events = 10_000
const rounds = 3
const withinMs = 20_000
const headers = { authorization: `Bearer ${appKey}` }

export const replayRow: Row = {
  name: 'replay',
  async run(folder) {
    const store = path.join(folder, 'replay.db')
    await seedTranscript(store, events)
    await using stub = await startProgram(folder, 'stub', { on: 'load' })
    await using gateway = await startGateway({ folder, platform: stub.port, store })
    const at = `127.0.0.1:${gateway.port}/v1/sessions/${seededId(0)}`
    const took: Record<'SSE' | 'WebSocket', number[]> = { SSE: [], WebSocket: [] }
    for (let round = 0; round < rounds; round++) {
      took.SSE.push(await overSse(`http://${at}/events?after=0`))
      took.WebSocket.push(await overWebSocket(`ws://${at}/ws?after=0`))
    }
    return Object.entries(took).map(([kind, times]) => ({
      row: 'replay',
      measured: `${events.toLocaleString('en-US')} events over ${kind}, median of ${rounds}`,
      unit: 'ms',
      ours: median(times),
      goal: { atMost: 1000 },
    }))
  },
}

/** Milliseconds until the last event, the connection included. */
async function overSse(url: string): Promise<number> {
  const startedAt = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let seen = 0
  let rest = ''
  const request = get(url, { headers, agent: false, signal: AbortSignal.timeout(withinMs) })
  request.on('error', reject)
  request.on('response', (response) => {
    response.on('error', reject)
    response.setEncoding('utf8')
    response.on('data', (chunk: string) => {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) if (block.includes('\ndata: ')) seen += 1
      if (seen === events) resolve(performance.now() - startedAt)
    })
  })
  try {
    return await promise
  } finally {
    request.destroy()
  }
}

async function overWebSocket(url: string): Promise<number> {
  const startedAt = performance.now()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let seen = 0
  const socket = new WebSocket(url, { headers, perMessageDeflate: false })
  const late = setTimeout(() => reject(new Error(`${seen} of ${events} events`)), withinMs)
  socket.on('error', reject)
  socket.on('message', () => {
    seen += 1
    if (seen === events) resolve(performance.now() - startedAt)
  })
  try {
    return await promise
  } finally {
    clearTimeout(late)
    socket.terminate()
  }
}
