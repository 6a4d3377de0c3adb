/** What ten thousand more active sessions add to the process. */
import { setTimeout as pause } from 'node:timers/promises'
import { Wire } from '../load/wire.ts'
import { residentBytes } from '../machine.ts'
import type { Row } from '../report.ts'
import { create } from '../requests.ts'
import { allActive } from '../sessions.ts'
import { startGateway, startProgram } from '../targets.ts'

/** So that what grows with the first load, and not with sessions, has grown before. */
const before = 3000
const sessions = 10_000
const connections = 16
const settleMs = 1500

export const memoryRow: Row = {
  name: 'memory',
  async run(folder) {
    await using stub = await startProgram(folder, 'stub', { on: 'load' })
    await using gateway = await startGateway({ folder, platform: stub.port })
    await createMany(gateway.port, before)
    const atFirst = residentBytes(gateway.pid)
    await createMany(gateway.port, sessions)
    const grown = residentBytes(gateway.pid) - atFirst
    return [
      {
        row: 'memory',
        measured: `RSS of one more session, over ${sessions.toLocaleString('en-US')}`,
        unit: 'KiB',
        ours: grown / sessions / 1024,
      },
    ]
  },
}

async function createMany(port: number, count: number): Promise<void> {
  const request = create('/v1/sessions')
  let left = count
  const run = async () => {
    const wire = await Wire.open(port)
    while (left-- > 0) {
      const status = await wire.send(request)
      if (status !== 201) throw new Error(`a session was answered ${status}`)
    }
    wire.close()
  }
  await Promise.all(Array.from({ length: connections }, run))
  await allActive(port)
  await pause(settleMs)
}
