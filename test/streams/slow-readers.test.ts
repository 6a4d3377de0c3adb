import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { openSocket, type SocketReader } from '../support/session-socket.ts'
import { type Api, openSession } from '../support/sessions.ts'
import { openSse, openStream } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { settleDown } from './support/settle-down.ts'

const eventBytes = 60_000

/** A session whose every own event is large. */
function openLargeSession(api: Api) {
  return openSession(api, { metadata: { notes: 'x'.repeat(eventBytes) } })
}

/** One large event. */
async function change(api: Api, session: { id: string }): Promise<void> {
  const consent = { marketing: true, personalization: true, analytics: true }
  const { status } = await api('PUT', `/v1/sessions/${session.id}/consent`, consent)
  assert.equal(status, 200)
}

/** As somebody with a slow line reads it: a frame or two, then nothing until after the next beat. */
async function readSlowly(
  { ws }: SocketReader,
  api: Api,
  time: MovableTime,
  isDone: () => boolean,
): Promise<number> {
  ws.pause()
  let beats = 0
  while (!isDone() && ws.readyState === ws.OPEN) {
    const something = Promise.race([once(ws, 'message'), once(ws, 'close')])
    ws.resume()
    await something
    ws.pause()
    await settleDown(api)
    time.advance(5000)
    beats += 1
  }
  ws.resume()
  return beats
}

describe('A WebSocket reader that stops reading', () => {
  it('is closed with 4408 at its bound, delays nobody, and misses nothing when it comes back', async (t) => {
    const { api, url } = await startTestGateway(t)
    const session = await openLargeSession(api)
    const route = `${url}/v1/sessions/${session.id}`
    const slow = (await openSocket(`${route}/ws?after=0`)).endWith(t)
    const others = [
      (await openSocket(`${route}/ws?after=0`)).endWith(t),
      await openSse(`${route}/events?after=0`),
    ]
    await slow.first(2)
    slow.ws.pause()

    let sent = 2
    const stopped = async () => (await api('GET', '/v1/stats')).body.streams.downstream < 3
    while (!(await stopped()) && sent < 400) {
      await change(api, session)
      sent += 1
      const isSeen = () => others.every(({ sequences }) => sequences.at(-1) === sent)
      await until('the others have it', isSeen, 3000)
      // The bound: 256 KiB under way, a megabyte in line, and one event to go over each.
      if (sent * eventBytes > 2 ** 20 + 2 ** 18 + 4 * eventBytes) slow.ws.resume()
    }
    const { code, reason } = await slow.closed
    assert.equal(code, 4408)
    assert.match(reason, /last sequence/)

    const seen = slow.sequences
    assert.deepEqual(seen, upTo(seen.length))
    assert.ok(seen.length < sent)
    const back = (await openSocket(`${route}/ws?after=${seen.at(-1)}`)).endWith(t)
    await change(api, session)
    await back.first(sent + 1 - seen.length)
    assert.deepEqual([...seen, ...back.sequences], upTo(sent + 1))
    for (const { sequences } of others) assert.deepEqual(sequences.slice(0, sent), upTo(sent))
    for (const other of others) if ('close' in other) other.close()
  })

  it('and answers no ping is gone within two beats', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openLargeSession(api)
    const slow = await openSocket(`${url}/v1/sessions/${session.id}/ws`, { autoPong: false })
    slow.endWith(t)
    time.advance(5000)
    await until('a ping', () => slow.pings === 1)
    assert.equal(slow.ws.readyState, slow.ws.OPEN)
    time.advance(5000)
    const { code } = await slow.closed
    assert.equal(code, 1006)
    const stats = await api('GET', '/v1/stats')
    assert.equal(stats.body.streams.downstream, 0)
  })
})

describe('A WebSocket reader that is slow but moves', () => {
  it('is not cut while it reads a long history, however long that takes', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openLargeSession(api)
    for (let changed = 0; changed < 80; changed += 1) await change(api, session)

    const slow = (await openSocket(`${url}/v1/sessions/${session.id}/ws?after=0`)).endWith(t)
    const beats = await readSlowly(slow, api, time, () => slow.sequences.length === 82)
    assert.deepEqual(slow.sequences, upTo(82))
    assert.equal(slow.ws.readyState, slow.ws.OPEN)
    assert.ok(beats > 20, `${beats} beats`)
  })

  it('gets all of a session that is over before it is told so', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openLargeSession(api)
    for (let changed = 0; changed < 100; changed += 1) await change(api, session)
    await api('DELETE', `/v1/sessions/${session.id}`)

    const slow = (await openSocket(`${url}/v1/sessions/${session.id}/ws?after=0`)).endWith(t)
    await readSlowly(slow, api, time, () => false)
    const { code } = await slow.closed
    assert.deepEqual(slow.sequences, upTo(103))
    assert.equal(code, 4410)
  })
})

describe('An SSE reader that stops reading', () => {
  it('is ended at its bound and misses nothing when it comes back', async (t) => {
    const { api, url } = await startTestGateway(t)
    const session = await openLargeSession(api)
    const route = `${url}/v1/sessions/${session.id}/events`
    const slow = await openSse(route)
    const other = await openSse(route)
    t.after(() => other.close())
    slow.response.pause()

    let sent = 2
    const isCut = async () => (await api('GET', '/v1/stats')).body.streams.downstream === 1
    while (!(await isCut())) {
      await change(api, session)
      sent += 1
      await until('the other has it', () => other.sequences.at(-1) === sent, 3000)
      // What the operating system takes is not ours to bound, but a few megabytes everywhere.
      assert.ok(sent < 400, 'it is not cut')
    }
    slow.response.resume()
    await slow.ended

    const seen = slow.sequences
    assert.ok(seen.length < sent - 2)
    const headers = { 'last-event-id': slow.lastId }
    const back = await openSse(route, { headers })
    t.after(() => back.close())
    await back.first(sent - 2 - seen.length)
    assert.deepEqual([...seen, ...back.sequences], other.sequences)
  })

  it('in the middle of a long history is ended when it has taken nothing for a minute', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openLargeSession(api)
    // More than the operating system takes in its place.
    for (let changed = 0; changed < 130; changed += 1) await change(api, session)
    const slow = await openStream(`${url}/v1/sessions/${session.id}/events?after=0`)
    slow.pause()
    t.after(() => slow.destroy())
    const downstream = async () => (await api('GET', '/v1/stats')).body.streams.downstream
    assert.equal(await downstream(), 1)
    time.advance(55_000)
    assert.equal(await downstream(), 1)
    time.advance(5000)
    await until('it is ended', async () => (await downstream()) === 0)
  })
})

describe('Readers that stop reading', () => {
  it('cost a bounded memory each, however long the history they asked for', async (t) => {
    const { gateway, session } = await gatewayWithHistory(t)
    const route = `${gateway.url}/v1/sessions/${session.id}`
    const before = residentMiB(gateway.pid)
    const count = 10
    for (let opened = 0; opened < count; opened += 1) {
      const stream = await openStream(`${route}/events?after=0`)
      stream.once('readable', () => undefined)
      await once(stream, 'readable')
      t.after(() => stream.destroy())
      const socket = (await openSocket(`${route}/ws?after=0`)).endWith(t)
      await socket.first(1)
      socket.ws.pause()
    }
    await settleDown(gateway.api)
    const grown = residentMiB(gateway.pid) - before
    t.diagnostic(`${before} MiB, grown by ${grown} MiB for ${2 * count} readers of 24 MiB each`)
    assert.ok(grown < 150, `${grown} MiB`)
  })
})

async function gatewayWithHistory(t: TestContext) {
  const simulator = await startSimulator({ activationMs: 0, rateLimit: 'off', agent: false })
  t.after(() => simulator[Symbol.asyncDispose]())
  const settings = settingsFor(simulator, { STORE: 'memory' })
  const gateway = await startGatewayProcess(t, temporaryFolder(t), settings)
  const session = await openLargeSession(gateway.api)
  for (let changed = 0; changed < 400; changed += 1) await change(gateway.api, session)
  return { gateway, session }
}

function residentMiB(pid: number): number {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}
