/**
 * Messages from the platform to those who watch a session: as many as go, then a hundred a second. Of ours each is
 * written to the journal on disk before anybody sees it. Beside it a bare relay that passes bytes on, and one that
 * first appends them to a file of SQLite.
 */
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import { bridged, type Guest, relayed, Speaker, socketPath, Watchers } from '../guests.ts'
import { cpuMicros } from '../machine.ts'
import { median, percentile } from '../numbers.ts'
import type { Server } from '../processes.ts'
import type { Figure, Row } from '../report.ts'
import { startGateway, startProgram } from '../targets.ts'

const rounds = 3
const roundMs = 600
const warmUpMs = 800
const paced = { rounds: 2, messages: 100, everyMs: 10 }

interface Load {
  what: string
  sessions: number
  /** Of each session. */
  watchers: number
  /** Messages of one session the platform is ahead of the watchers, at most. */
  underWay: number
}

const alone: Load = { what: 'one session, 1 watcher', sessions: 1, watchers: 1, underWay: 128 }
const loads: readonly Load[] = [
  alone,
  { what: 'one session, 100 watchers', sessions: 1, watchers: 100, underWay: 128 },
  { what: '50 sessions, 1 watcher each', sessions: 50, watchers: 1, underWay: 8 },
]

interface Target {
  server: Server
  guests(count: number): Promise<Guest[]>
}

/** The watched sessions of one target, and what was found of them. */
interface Line extends Disposable {
  load: Load
  pid: number
  guestIds: string[]
  watchers: Watchers
  perSecond: number[]
  cpuMicros: number[]
  latenciesMs: number[]
}

export const relayRow: Row = {
  name: 'relay',
  async run(folder) {
    await using platform = await startProgram(folder, 'guests', { on: 'load' })
    const { port } = platform
    using speaker = await Speaker.at(port)
    await using gateway = await startGateway({
      folder,
      platform: port,
      dialect: 'messaging-guests',
    })
    await using bareRelay = await startProgram(folder, 'relay', { platform: port })
    const ours: Target = { server: gateway, guests: (count) => bridged(gateway.port, count) }
    await using keeper = await startProgram(folder, 'relay', {
      platform: port,
      environment: { JOURNAL: path.join(folder, 'relay.db') },
    })
    const bare = ofRelay(bareRelay)
    const journalling = ofRelay(keeper)
    const watchUrl = `ws://127.0.0.1:${port}${socketPath('direct')}`
    const direct: Target = {
      server: platform,
      guests: async () => [{ guestId: 'direct', watchUrl }],
    }
    const figures: Figure[] = []
    for (const load of loads)
      figures.push(...(await saturated(load, ours, bare, journalling, speaker)))
    figures.push(...(await added(ours, bare, direct, speaker)))
    return figures
  },
}

function ofRelay(server: Server): Target {
  return { server, guests: async (count) => relayed(server.port, count) }
}

async function saturated(
  load: Load,
  ours: Target,
  bare: Target,
  journalling: Target,
  speaker: Speaker,
): Promise<Figure[]> {
  using our = await lineOf(ours, load, speaker)
  using bares = await lineOf(bare, load, speaker)
  using keepers = await lineOf(journalling, load, speaker)
  const lines = [our, bares, keepers]
  for (const line of lines) await flood(line, speaker, warmUpMs)
  for (let round = 0; round < rounds; round++) {
    for (const line of lines) {
      const before = cpuMicros(line.pid)
      const { perSecond, messages } = await flood(line, speaker, roundMs)
      line.perSecond.push(perSecond)
      line.cpuMicros.push((cpuMicros(line.pid) - before) / messages)
    }
  }
  const figure = (kind: 'perSecond' | 'cpuMicros') => {
    const [value, beside] = [median(our[kind]), median(bares[kind])]
    const result = { value: value / beside, of: '× bare relay' }
    const besides = { 'bare relay': beside, 'journalling relay': median(keepers[kind]) }
    return { row: 'relay', ours: value, beside: besides, result }
  }
  return [
    {
      ...figure('perSecond'),
      measured: `messages, as many as go, ${load.what}`,
      unit: '/s',
      goal: { atLeast: 0.5 },
    },
    { ...figure('cpuMicros'), measured: `CPU of one message, ${load.what}`, unit: 'µs' },
  ]
}

/** What a message takes longer than on the guest's own socket. */
async function added(
  ours: Target,
  bare: Target,
  direct: Target,
  speaker: Speaker,
): Promise<Figure[]> {
  using our = await lineOf(ours, alone, speaker)
  using bares = await lineOf(bare, alone, speaker)
  using own = await lineOf(direct, alone, speaker)
  for (let round = 0; round < paced.rounds; round++) {
    for (const line of [our, bares, own]) await trickle(line, speaker)
  }
  return [0.5, 0.99].map((share) => {
    const over = (line: Line) =>
      percentile(line.latenciesMs, share) - percentile(own.latenciesMs, share)
    return {
      row: 'relay',
      measured: `added p${share * 100} at ${1000 / paced.everyMs}/s, ${alone.what}`,
      unit: 'ms',
      ours: over(our),
      beside: { 'bare relay': over(bares) },
    }
  })
}

/** Watched sessions whose guests all hear. */
async function lineOf(target: Target, load: Load, speaker: Speaker): Promise<Line> {
  const guests = await target.guests(load.sessions)
  const guestIds = guests.map(({ guestId }) => guestId)
  const watchers = new Watchers()
  await watchers.watch(guests, load.watchers)
  await speaker.reaches(guestIds)
  const found = { perSecond: [], cpuMicros: [], latenciesMs: [] }
  const dispose = () => watchers[Symbol.dispose]()
  return { load, pid: target.server.pid, guestIds, watchers, ...found, [Symbol.dispose]: dispose }
}

/** The platform speaks as fast as the watchers hear; fails unless each of them hears all of it. */
async function flood(
  { load, guestIds, watchers }: Line,
  speaker: Speaker,
  forMs: number,
): Promise<{ perSecond: number; messages: number }> {
  const receivedBefore = watchers.received
  const startedAt = performance.now()
  let said = 0
  const arrived = () => (watchers.received - receivedBefore) / load.watchers
  const say = (each: number) => {
    said += each * guestIds.length
    speaker.say({ to: guestIds, each })
  }
  const half = load.underWay / 2
  watchers.onMessage = () => {
    if (performance.now() - startedAt > forMs) return
    if (said - arrived() <= half * guestIds.length) say(half)
  }
  say(load.underWay)
  await pause(forMs)
  await until('every watcher hears every message', () => arrived() >= said)
  watchers.onMessage = () => undefined
  return { perSecond: said / ((watchers.lastAt - startedAt) / 1000), messages: said }
}

async function trickle({ guestIds, watchers, latenciesMs }: Line, speaker: Speaker): Promise<void> {
  const saidAt: number[] = []
  watchers.onMessage = () => {
    latenciesMs.push(watchers.lastAt - (saidAt.shift() ?? Number.NaN))
  }
  const before = watchers.received
  for (let message = 0; message < paced.messages; message++) {
    saidAt.push(performance.now())
    speaker.say({ to: guestIds, each: 1 })
    await pause(paced.everyMs)
  }
  await until('every message arrives', () => watchers.received - before >= paced.messages)
  watchers.onMessage = () => undefined
}
