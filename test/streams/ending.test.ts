import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { Dice } from '../support/dice.ts'
import { startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { assertProblem } from '../support/problems.ts'
import { openSocket, refusedUpgrade } from '../support/session-socket.ts'
import { openSession, respondAsync, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse, openStream } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { tokenFor } from './support/tokens.ts'

describe('The stream of a session that is over', () => {
  const gateway = sharedGateway()

  it('ends with 4410, or by itself and then with 204, after the last event', async (t) => {
    const { api, url } = gateway()
    const session = await openSession(api)
    const route = `${url}/v1/sessions/${session.id}`
    const socket = (await openSocket(`${route}/ws?after=0`)).endWith(t)
    const sse = await openSse(`${route}/events?after=0`)
    await api('DELETE', `/v1/sessions/${session.id}`)

    assert.deepEqual(await socket.closed, { code: 4410, reason: 'the session is over' })
    await sse.ended
    assert.deepEqual(sse.types, ['session.created', 'session.activated', 'session.closed'])
    assert.deepEqual(socket.sequences, [1, 2, 3])

    const headers = { 'last-event-id': sse.lastId }
    const again = await api('GET', `/v1/sessions/${session.id}/events`, undefined, headers)
    assert.equal(again.status, 204)
    assert.equal((await api('GET', `/v1/sessions/${session.id}/events`)).status, 204)
  })

  it('can still be read from any place on', async (t) => {
    const { api, url } = gateway()
    const session = await openSession(api)
    await api('DELETE', `/v1/sessions/${session.id}`)
    const route = `${url}/v1/sessions/${session.id}`
    const socket = (await openSocket(`${route}/ws?after=1`)).endWith(t)
    const sse = await openSse(`${route}/events?after=1`)
    assert.equal((await socket.closed).code, 4410)
    await sse.ended
    assert.deepEqual(
      [sse.sequences, socket.sequences],
      [
        [2, 3],
        [2, 3],
      ],
    )
  })

  it('does not end before what became of its last message is known', async (t) => {
    const { api, url, simulator } = gateway()
    const session = await openSession(api)
    const route = `${url}/v1/sessions/${session.id}`
    const socket = (await openSocket(`${route}/ws`)).endWith(t)
    const sse = await openSse(`${route}/events`)
    simulator.control.faults.add({
      kind: 'latency',
      latencyMs: 1600,
      operation: 'external-guests.sendMessage',
      count: 1,
    })
    await send(api, session, 'on its way', respondAsync)
    const { received } = simulator.control
    await until('it left', () => received.list('external-guests.sendMessage').length > 0)
    await api('DELETE', `/v1/sessions/${session.id}`)
    await sse.first(2)
    const headers = { 'last-event-id': sse.lastId }
    const meanwhile = await openSse(`${route}/events`, { headers })
    assert.equal(meanwhile.status, 200)

    assert.equal((await socket.closed).code, 4410)
    await Promise.all([sse.ended, meanwhile.ended])
    assert.deepEqual(sse.types, ['message.accepted', 'session.closed', 'message.sent'])
    assert.deepEqual(socket.sequences, sse.sequences)
    assert.deepEqual(meanwhile.types, ['message.sent'])
    const after = await openSse(`${route}/events`, { headers: { 'last-event-id': sse.lastId } })
    assert.equal(after.status, 204)
  })
})

describe('A client that leaves', () => {
  it('in the middle of its request leaves no reader behind', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openSession(api)
    const { eventsUrl, websocketUrl } = await tokenFor(api, session)
    const dice = new Dice('leaving')
    const upgrade =
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
    const { hostname, port } = new URL(url)
    const visits = Array.from({ length: 400 }, async (_, index) => {
      const target = new URL(index % 2 === 0 ? eventsUrl : websocketUrl)
      const headers = index % 2 === 0 ? '' : upgrade
      const socket = connect(Number(port), hostname)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.write(`GET ${target.pathname}${target.search} HTTP/1.1\r\nHost: g\r\n${headers}\r\n`)
      for (let turns = dice.between(0, 30); turns > 0; turns -= 1) {
        await new Promise((resolve) => setImmediate(resolve))
      }
      const gone = once(socket, 'close')
      if (dice.fraction() < 0.5) socket.destroy()
      else socket.resetAndDestroy()
      await gone
    })
    await Promise.all(visits)
    const areGone = async () => (await api('GET', '/v1/stats')).body.streams.downstream === 0
    // And nothing writes to them at the next beats.
    for (let beats = 0; beats < 3; beats += 1) {
      await until('all are gone', areGone)
      time.advance(5000)
    }
    await until('all are gone still', areGone)
  })
})

describe('A process that is told to stop', () => {
  it('sends every client away for a while of its own, and waits for none that does not hear', async (t) => {
    const simulator = await startSimulator({ activationMs: 0, rateLimit: 'off', agent: false })
    t.after(() => simulator[Symbol.asyncDispose]())
    const settings = settingsFor(simulator, { STORE: 'memory' })
    const gateway = await startGatewayProcess(t, temporaryFolder(t), settings)
    const { api, url } = gateway
    const session = await openSession(api)
    const route = `${url}/v1/sessions/${session.id}`
    const sockets = await Promise.all(
      Array.from({ length: 8 }, async () => (await openSocket(`${route}/ws?after=0`)).endWith(t)),
    )
    const streams = await Promise.all(
      Array.from({ length: 8 }, () => openSse(`${route}/events?after=0`)),
    )
    for (const reader of [...sockets, ...streams]) await reader.first(2)
    // Two that hear nothing.
    const deafSocket = (await openSocket(`${route}/ws`)).endWith(t)
    deafSocket.ws.pause()
    const deafStream = await openStream(`${url}/v1/events`)
    t.after(() => deafStream.destroy())
    deafStream.pause()

    // Something in flight keeps it from being gone at once.
    const operation = 'external-guests.sendMessage'
    simulator.control.faults.add({ kind: 'latency', latencyMs: 1500, operation, count: 1 })
    await send(api, session, 'on its way', respondAsync)
    const { received } = simulator.control
    await until('it left', () => received.list(operation).length > 0)
    const stopped = gateway.stop()

    const waits: number[] = []
    for (const { closed } of sockets) {
      const { code, reason } = await closed
      assert.equal(code, 4503)
      waits.push(Number(/^retry-after-ms=(\d+)$/.exec(reason)?.[1]))
    }
    for (const stream of streams) {
      await stream.ended
      waits.push(Number(stream.retryMs))
    }
    for (const wait of waits) assert.ok(wait >= 500 && wait <= 5000, `${wait} ms`)
    assert.ok(new Set(waits).size > 8, waits.join())

    const events = `/v1/sessions/${session.id}/events`
    assertProblem(await api('GET', events), 'shutting-down')
    assertProblem(await api('GET', '/v1/events'), 'shutting-down')
    assertProblem(await refusedUpgrade(`${route}/ws`), 'shutting-down')

    const { code, signal, tookMs } = await stopped
    assert.deepEqual([code, signal], [0, null])
    assert.ok(tookMs < 9000, `${tookMs} ms`)
  })
})
