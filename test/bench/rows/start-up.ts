/** From being started to answering, compile cache warm, and the memory of one that does nothing; beside a bare app. */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort } from '../../support/ports.ts'
import { onAllCpus, residentBytes } from '../machine.ts'
import { median } from '../numbers.ts'
import { type Server, type ServerCommand, startServer } from '../processes.ts'
import type { Row } from '../report.ts'
import { gatewayCommand, gatewayEnvironment, startProgram } from '../targets.ts'

const starts = 7
const idleMs = 2000
const bareApp = path.join(import.meta.dirname, '..', 'servers', 'bare-app.ts')

type Start = Pick<Server, 'readyMs' | 'readyCpuMs'>

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
    const ourStarts: Start[] = []
    const bareStarts: Start[] = []
    for (let round = 0; round < starts; round++) {
      ourStarts.push(await start(gateway))
      bareStarts.push(await start(bare))
    }
    const figure = (kind: keyof Start) => ({
      row: 'start-up',
      unit: 'ms',
      ours: median(ourStarts.map((each) => each[kind])),
      beside: { 'bare app': median(bareStarts.map((each) => each[kind])) },
    })
    return [
      {
        ...figure('readyMs'),
        measured: `until it answers, median of ${starts}`,
        goal: { atMost: 400 },
      },
      { ...figure('readyCpuMs'), measured: 'CPU until it answers' },
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

async function start(command: ServerCommand): Promise<Start> {
  await using server = await startServer(command)
  const { readyMs, readyCpuMs } = server
  return { readyMs, readyCpuMs }
}
