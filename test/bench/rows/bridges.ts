/**
 * Bridged sessions held in one process: what each adds to its memory, beside the bare relay's, and whether one is lost.
 *
 * Of ours, a session has its socket to the platform, its journal on disk and, from the second figure on, one watcher.
 * The bare relay has the two sockets and nothing else.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { until } from '../../support/until.ts'
import { bridged, type Guest, patiently, relayed, Speaker, Watchers } from '../guests.ts'
import { openFilesLimit, residentBytes } from '../machine.ts'
import type { Server } from '../processes.ts'
import type { Row } from '../report.ts'
import { call } from '../requests.ts'
import { startGateway, startProgram } from '../targets.ts'

/** So that what grows with the first load, and not with sessions, has grown before. */
const before = 1500
/** Two sockets of each session in one process, and room for the rest. */
const filesEach = 2
const filesBesides = 1000
const sessions = Number(process.env.BENCH_BRIDGES ?? mostThatFit(1000))
const settleMs = 1500
/** Longer than two of the gateway's beats to the platform: a dead socket would show. */
const heldMs = 9000

export const bridgesRow: Row = {
  name: 'bridges',
  async run(folder) {
    await using platform = await startProgram(folder, 'guests', { on: 'load' })
    using speaker = await Speaker.at(platform.port)
    const ours = await gatewayHolds(folder, platform, speaker)
    const bare = await relayHolds(folder, platform, speaker)
    const of = `of one more bridged session, over ${sessions.toLocaleString('en-US')}`
    const row = { row: 'bridges', unit: 'KiB' }
    return [
      { ...row, measured: `RSS ${of}, nobody watching`, ours: ours.unwatched },
      {
        ...row,
        measured: `RSS ${of}, one watcher each, held and spoken to`,
        ours: ours.held,
        beside: { 'bare relay': bare },
        result: { value: ours.held / bare, of: '× bare relay' },
        goal: { atMost: 2 },
      },
      {
        row: 'bridges',
        measured: `lost of ${(before + sessions).toLocaleString('en-US')} streams in ${heldMs / 1000} s`,
        unit: '',
        ours: ours.lost,
        goal: { atMost: 0 },
      },
    ]
  },
}

async function gatewayHolds(folder: string, { port }: Server, speaker: Speaker) {
  await using gateway = await startGateway({ folder, platform: port, dialect: 'messaging-guests' })
  using watchers = new Watchers()
  const first = await bridged(gateway.port, before)
  await watchers.watch(first)
  await speakToAll(speaker, first, watchers)
  const atFirst = await settled(gateway)

  const guests = await bridged(gateway.port, sessions)
  await speaker.hasOpen(before + sessions)
  const unwatched = perSession(atFirst, await settled(gateway))

  await watchers.watch(guests)
  await pause(heldMs)
  await speakToAll(speaker, guests, watchers)
  const held = perSession(atFirst, await settled(gateway))
  const { ended } = await speaker.sockets()
  const stats = (await patiently(() =>
    call('GET', `http://127.0.0.1:${gateway.port}/v1/stats`),
  )) as {
    streams: { upstream: number }
  }
  const missing = before + sessions - stats.streams.upstream
  return { unwatched, held, lost: Math.max(missing, ended, watchers.ended) }
}

async function relayHolds(folder: string, { port }: Server, speaker: Speaker): Promise<number> {
  await using relay = await startProgram(folder, 'relay', { platform: port })
  using watchers = new Watchers()
  await until('the platform is free again', async () => (await speaker.sockets()).open === 0)
  const first = relayed(relay.port, before)
  await watchers.watch(first)
  await speaker.hasOpen(before)
  await speakToAll(speaker, first, watchers)
  const atFirst = await settled(relay)

  const guests = relayed(relay.port, sessions)
  await watchers.watch(guests)
  await speaker.hasOpen(before + sessions)
  await speakToAll(speaker, guests, watchers)
  return perSession(atFirst, await settled(relay))
}

/** One message to each, and all of them have arrived. */
async function speakToAll(
  speaker: Speaker,
  guests: readonly Guest[],
  watchers: Watchers,
): Promise<void> {
  const expected = watchers.received + guests.length
  speaker.say({ to: guests.map(({ guestId }) => guestId), each: 1 })
  await until(`${guests.length} messages`, () => watchers.received >= expected, 30_000)
}

async function settled({ pid }: Server): Promise<number> {
  await pause(settleMs)
  return residentBytes(pid)
}

function perSession(bytesBefore: number, bytesAfter: number): number {
  return (bytesAfter - bytesBefore) / sessions / 1024
}

function mostThatFit(wanted: number): number {
  const room = Math.floor((openFilesLimit() - filesBesides) / filesEach) - before
  return Math.max(100, Math.min(wanted, room))
}
