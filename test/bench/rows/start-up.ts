/** From being started to answering, compile cache warm, and the memory of one that does nothing; beside a bare app. */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { onAllCpus, residentBytes } from '../machine.ts'
import { median } from '../numbers.ts'
import { freePort, type ServerCommand, startServer } from '../processes.ts'
import type { Row } from '../report.ts'
import { gatewayCommand, gatewayEnvironment, startProgram } from '../targets.ts'

const starts = 7
const idleMs = 2000
const bareApp = path.join(import.meta.dirname, '..', 'servers', 'bare-app.ts')

export const startUpRow: Row = {
  name: 'start-up',
  async run(folder) {
    await using stub = await startProgram(folder, 'stub', { on: 'load' })
    const port = await freePort()
    const common = { port, probe: '/health/live', folder }
    const gateway: ServerCommand = {
      ...common,
      name: 'gateway',
      command: onAllCpus(gatewayCommand),
      environment: gatewayEnvironment({ folder, platform: stub.port }, port),
    }
    const bare: ServerCommand = {
      ...common,
      name: 'bare-app',
      command: onAllCpus([process.execPath, bareApp]),
      environment: { PORT: String(port) },
    }
    const [ours, beside] = [await idleMiB(gateway), await idleMiB(bare)]
    const readyMs = { ours: [] as number[], beside: [] as number[] }
    for (let round = 0; round < starts; round++) {
      readyMs.ours.push(await timeToReady(gateway))
      readyMs.beside.push(await timeToReady(bare))
    }
    return [
      {
        row: 'start-up',
        measured: `until it answers, median of ${starts}`,
        unit: 'ms',
        ours: median(readyMs.ours),
        beside: { 'bare app': median(readyMs.beside) },
        goal: { atMost: 400 },
      },
      {
        row: 'start-up',
        measured: 'memory when idle (RSS)',
        unit: 'MiB',
        ours,
        beside: { 'bare app': beside },
      },
    ]
  },
}

/** Its clean end also leaves the compile cache behind, warm for the starts that count. */
async function idleMiB(command: ServerCommand): Promise<number> {
  await using server = await startServer(command)
  await pause(idleMs)
  return residentBytes(server.pid) / 2 ** 20
}

async function timeToReady(command: ServerCommand): Promise<number> {
  await using server = await startServer(command)
  return server.readyMs
}
