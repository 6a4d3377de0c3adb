import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { startTestGateway } from '../support/gateway.ts'
import {
  type Api,
  messageOf,
  openSession,
  respondAsync,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { pass, passUntil } from './support/moving-time.ts'
import { startOn, startPlatform } from './support/platform.ts'
import { echo, isMessage, sessionResponse } from './support/web-messaging.ts'

const dialect = 'web-messaging'
const connect = 'web-messaging.connect'
const reason = 'the platform no longer knew the session'

async function isForgotten(api: Api, { id }: { id: string }) {
  const { body } = await api('GET', `/v1/sessions/${id}`)
  if (body.state === 'active') return false
  assert.deepEqual([body.state, body.closeReason], ['expired', reason])
  return true
}

/** Until it is up again, no connection comes about. */
const down = { kind: 'status', status: 503, operation: connect } as const

describe('a guest the platform has forgotten', { concurrency: 4 }, () => {
  it('ends its session as expired when its redial begins a new one, with what was on its way', async (t) => {
    const platform = await startPlatform(t)
    const { api, url } = await startOn(t, platform)
    platform.onFrame = (socket, frame) => {
      // On the second connection it does not remember the first.
      if (frame.action === 'configureSession') socket.send(sessionResponse({ newSession: true }))
      else if (isMessage(frame) && !JSON.stringify(frame).includes('in flight')) {
        socket.send(echo(frame, 'id-1'))
      }
    }
    const session = await openSession(api, { dialect })
    const events = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    t.after(() => events.close())
    await send(api, session, 'before')
    const inFlight = await send(api, session, 'in flight', respondAsync)
    const inLine = await send(api, session, 'in line', respondAsync)
    const [socket] = platform.sockets
    await until('it has left', () =>
      socket?.frames.some((frame) => /in flight/.test(JSON.stringify(frame))),
    )
    socket?.ws.terminate()

    await until('the end', () => isForgotten(api, session))
    assert.equal((await settled(api, session, inFlight.body.id)).status, 'unconfirmed')
    const failed = await settled(api, session, inLine.body.id)
    assert.deepEqual([failed.status, failed.error.code], ['failed', 'session-closed'])
    await events.ended
    assert.ok(events.types.includes('session.expired'))
    assert.equal(events.types.filter((type) => type === 'session.stream_opened').length, 1)
    await until('it hangs up', () => platform.sockets[1]?.closed)
    assert.deepEqual(
      platform.sockets.map(({ frames }) => frames.filter(isMessage).length),
      [2, 0],
    )
  })

  it('is noticed after a restart of the gateway too', async (t) => {
    const platform = await startPlatform(t)
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') socket.send(sessionResponse({ newSession: true }))
    }
    const settings = { STORE: `sqlite:${temporaryFolder(t)}/gateway.db` }
    const first = await startOn(t, platform, settings)
    const session = await openSession(first.api, { dialect })
    await first.gateway[Symbol.asyncDispose]()
    const second = await startOn(t, platform, settings)
    await until('the end', () => isForgotten(second.api, session))
  })

  it('goes on where the platform does not say that it began anew', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    simulator.control.configure({ webMessaging: { sessionResponse: 'minimal' } })
    const session = await openSession(api, { dialect })
    await send(api, session, 'before')
    simulator.control.sockets.drop()
    assert.equal((await send(api, session, 'after')).body.status, 'sent')
  })

  it('on the simulator ends the same way', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api, { dialect })
    await send(api, session, 'before')
    const [socket] = simulator.control.sockets.list()
    simulator.control.faults.add(down)
    simulator.control.sockets.drop()
    simulator.control.forget(socket?.subject ?? '')
    simulator.control.faults.remove()
    await until('the end', () => isForgotten(api, session))
    assert.deepEqual(
      (await transcript(api, session)).map(({ text }) => text),
      ['before'],
    )
    await simulator.control.sockets.settled(0)
  })
})

describe('an outage of the platform', { concurrency: 4 }, () => {
  /** A gateway whose time a test moves, and a session that has spoken. */
  async function start(t: Parameters<typeof startTestGateway>[0], name: string) {
    const time = new MovableTime(systemClock)
    const environment = { GENESYS_FRAME_INTERVAL_MS: '0' }
    const gateway = await startTestGateway(t, { environment, overrides: { clock: time } })
    const session = await openSession(gateway.api, { dialect: name })
    await send(gateway.api, session, 'before')
    const { control } = gateway.simulator
    const operation = `${name}.connect`
    const advance = (ms: number) => {
      time.advance(ms)
      control.advanceClock(ms)
    }
    return {
      ...gateway,
      session,
      goDown: () => {
        control.faults.add({ ...down, operation })
        control.sockets.drop()
      },
      goUp: () => control.faults.remove(),
      /** On both sides. */
      lapse: (ms: number, stepMs = 60_000) => pass({ advance }, ms, stepMs),
      soon: (look: () => Promise<boolean>) => passUntil(time, look, 120_000),
      state: async () => (await gateway.api('GET', `/v1/sessions/${session.id}`)).body,
    }
  }

  for (const name of ['web-messaging', 'guest-sessions']) {
    it(`of an hour costs no session and no message of ${name}`, async (t) => {
      const { api, session, goDown, goUp, lapse, soon, state } = await start(t, name)
      goDown()
      const { body } = await send(api, session, 'meanwhile', respondAsync)
      await lapse(3_600_000)
      assert.deepEqual(
        [(await state()).state, (await state()).stream.state],
        ['active', 'reconnecting'],
      )
      assert.equal((await messageOf(api, session, 'meanwhile')).status, 'accepted')
      goUp()
      await soon(async () => (await state()).stream.state === 'open')
      await soon(async () => (await messageOf(api, session, 'meanwhile')).status === 'sent')
      assert.equal((await settled(api, session, body.id)).status, 'sent')
    })
  }

  it('of more than 72 hours leaves no session of web-messaging behind that would never end', async (t) => {
    const { goDown, lapse, state } = await start(t, 'web-messaging')
    goDown()
    await lapse(72 * 3_600_000, 1_800_000)
    await lapse(3_600_000, 30_000)
    await until('the end', async () => (await state()).state === 'failed')
    assert.equal((await state()).closeReason, 'stream-lost')
  })

  it('that ends after the platform’s own session did ends as expired', async (t) => {
    const { goDown, goUp, lapse, soon, state, simulator } = await start(t, 'web-messaging')
    simulator.control.configure({ webMessaging: { deployment: { sessionDurationSeconds: 1_800 } } })
    goDown()
    simulator.control.advanceClock(73 * 3_600_000)
    await lapse(60_000, 10_000)
    goUp()
    await soon(async () => (await state()).state === 'expired')
    assert.equal((await state()).closeReason, reason)
  })
})
