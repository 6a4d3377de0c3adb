import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { openSocket } from '../support/session-socket.ts'
import { openSession, send } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { settleDown } from './support/settle-down.ts'

async function start(t: TestContext, dialect?: string) {
  const time = new MovableTime(systemClock)
  const gateway = await startTestGateway(t, { overrides: { clock: time } })
  const session = await openSession(gateway.api, dialect ? { dialect } : {})
  return { ...gateway, time, session, route: `${gateway.url}/v1/sessions/${session.id}` }
}

describe('A heartbeat', () => {
  it('comes every five seconds: a comment by SSE, a ping by WebSocket', async (t) => {
    const { time, route, url } = await start(t)
    const streams = [await openSse(`${route}/events`), await openSse(`${url}/v1/events`)]
    const socket = (await openSocket(`${route}/ws`)).endWith(t)
    for (let beat = 1; beat <= 6; beat += 1) {
      time.advance(4999)
      time.advance(1)
      const haveIt = () =>
        socket.pings === beat && streams.every(({ comments }) => comments === beat)
      await until(`beat ${beat}`, haveIt)
    }
    // Nobody who answers is cut, and no beat is an event.
    assert.equal(socket.ws.readyState, socket.ws.OPEN)
    assert.deepEqual(socket.frames, [])
    for (const stream of streams) {
      assert.deepEqual(stream.events, [])
      stream.close()
    }
  })

  it('is not even the end of an event, which some clients would take for one', async (t) => {
    const { time, route, url } = await start(t)
    const last = { headers: { 'last-event-id': '1' } }
    const streams = [
      await openSse(`${route}/events?after=0`),
      await openSse(`${route}/events`, last),
      await openSse(`${url}/v1/events?after=0`),
    ]
    t.after(() => {
      for (const stream of streams) stream.close()
    })
    time.advance(5000)
    await until('a beat', () => streams.every(({ comments }) => comments === 1))
    assert.ok(streams.every(({ events, retryMs }) => events.length > 0 && retryMs === 1000))
    assert.deepEqual(
      streams.map(({ hollow }) => hollow),
      [0, 0, 0],
    )
  })

  it('that is not answered is the last: the client is gone within ten seconds', async (t) => {
    const { time, route, api } = await start(t)
    const socket = (await openSocket(`${route}/ws`, { autoPong: false })).endWith(t)
    const pong = () => socket.ws.pong(String(socket.pings))
    socket.ws.on('ping', () => {
      if (socket.pings <= 2) pong()
    })
    for (let beat = 1; beat <= 3; beat += 1) {
      time.advance(5000)
      await until('a ping', () => socket.pings === beat)
      await settleDown(api)
      assert.equal(socket.ws.readyState, socket.ws.OPEN)
    }
    time.advance(5000)
    assert.equal((await socket.closed).code, 1006)
  })

  it('is not answered by talk, nor by a pong nobody asked for', async (t) => {
    const { time, route, api } = await start(t)
    const socket = (await openSocket(`${route}/ws`, { autoPong: false })).endWith(t)
    for (let beats = 0; beats < 2; beats += 1) {
      socket.say({ type: 'message', id: 'mine', text: 'I am here' })
      socket.ws.pong('and still alive')
      await socket.frame('ack')
      await settleDown(api)
      time.advance(5000)
    }
    await until('it is gone', () => socket.ws.readyState === socket.ws.CLOSED, 3000)
  })
})

describe('The gateway’s own connection to the platform', () => {
  const names = ['guest-sessions', 'messaging-guests', 'web-messaging'] as const
  for (const dialect of names) {
    it(`of ${dialect} is missed within ten seconds when it is half open`, async (t) => {
      const { time, api, session, route, simulator } = await start(t, dialect)
      const sse = await openSse(`${route}/events`)
      t.after(() => sse.close())
      const lost = () => sse.types.some((type) => /stream_lost|closed/.test(type))
      const pass = async (seconds: number) => {
        for (let passed = 0; passed < seconds && !lost(); passed += 1) {
          time.advance(1000)
          // A ping that is answered has its answer by then.
          await settleDown(api)
        }
      }
      await pass(30)
      assert.ok(!lost(), 'it is missed while it answers')
      assert.equal(simulator.control.sockets.freeze(), 1)
      await pass(10)
      await until('it is missed', lost)
      if (dialect === 'messaging-guests') {
        // The platform takes no guest of this surface up again.
        const { data } = sse.events.at(-1)?.data ?? {}
        assert.equal(data.closeReason, 'stream-lost')
        return
      }
      time.advance(5000)
      await until('it is dialled again', () => sse.types.includes('session.stream_opened'))
      assert.equal((await send(api, session, 'Still there?')).status, 201)
    })
  }
})
