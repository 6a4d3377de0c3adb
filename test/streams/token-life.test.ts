import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { openSocket, refusedUpgrade } from '../support/session-socket.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { bare, shop, tokenFor } from './support/tokens.ts'

describe('A stream token that runs out', () => {
  async function start(t: { after(end: () => void): void }) {
    const time = new MovableTime(systemClock)
    const { api } = await startTestGateway(t, { overrides: { clock: time } })
    return { time, api, session: await openSession(api) }
  }

  it('closes the WebSocket with 4401 and ends the event stream, not before', async (t) => {
    const { time, api, session } = await start(t)
    const { websocketUrl, eventsUrl } = await tokenFor(api, session, { ttlSeconds: 30 })
    const socket = (await openSocket(websocketUrl, { bearer: null })).endWith(t)
    const sse = await openSse(eventsUrl, { bearer: null })
    for (let beat = 1; beat <= 5; beat += 1) {
      time.advance(5000)
      await until('a ping', () => socket.pings >= beat)
      await send(api, session, `after ${beat * 5} seconds`)
    }
    await socket.first(10)
    await sse.first(10)
    assert.equal(socket.ws.readyState, socket.ws.OPEN)

    time.advance(5000)
    assert.deepEqual(await socket.closed, { code: 4401, reason: 'the stream token has expired' })
    await sse.ended
    assertProblem(await bare(eventsUrl), 'unauthorized')
    assertProblem(await refusedUpgrade(websocketUrl, { bearer: null }), 'unauthorized')
  })

  it('opens nothing any more where its session ended before it', async (t) => {
    const { time, api, session } = await start(t)
    const { websocketUrl, eventsUrl } = await tokenFor(api, session, { ttlSeconds: 30 })
    await api('DELETE', `/v1/sessions/${session.id}`)
    assert.equal((await bare(`${eventsUrl}&after=2`)).status, 200)
    time.advance(31_000)
    assertProblem(await bare(`${eventsUrl}&after=2`), 'unauthorized')
    assertProblem(await refusedUpgrade(websocketUrl, { bearer: null }), 'unauthorized')
  })

  it('is renewed without a gap', async (t) => {
    const { time, api, session } = await start(t)
    const first = await tokenFor(api, session, { ttlSeconds: 8 })
    const second = await tokenFor(api, session, { ttlSeconds: 60 })
    const socket = (await openSocket(first.websocketUrl, { bearer: null })).endWith(t)
    await send(api, session, 'before')
    socket.say({ type: 'renew', token: second.token })
    // A frame of which the answer shows that the one before it has been dealt with.
    socket.say({ type: 'typing' })
    await socket.frame('error')
    for (let beats = 0; beats < 3; beats += 1) {
      time.advance(5000)
      await until('a ping', () => socket.pings > beats)
      await send(api, session, 'and on')
    }
    await socket.first(8)
    assert.deepEqual(socket.sequences, [3, 4, 5, 6, 7, 8, 9, 10])
  })

  it('is renewed in time for the frames that come right behind', async (t) => {
    const { api, session } = await start(t)
    const reading = await tokenFor(api, session)
    const writing = await tokenFor(api, session, { canSend: true })
    const socket = (await openSocket(reading.websocketUrl, { bearer: null })).endWith(t)
    socket.say({ type: 'message', id: 'too soon', text: 'no' })
    socket.say({ type: 'renew', token: writing.token })
    socket.say({ type: 'message', id: 'in time', text: 'yes' })
    socket.say({ type: 'renew', token: reading.token })
    socket.say({ type: 'message', id: 'too late', text: 'no' })
    await socket.frame('error', { id: 'too late' })
    const answers = socket.frames.filter(({ type }) => type === 'ack' || type === 'error')
    assert.deepEqual(
      answers.map(({ type, id }) => [type, id]),
      [
        ['error', 'too soon'],
        ['ack', 'in time'],
        ['error', 'too late'],
      ],
    )
  })

  it('is not renewed by a token of another session or origin, nor where there is none', async (t) => {
    const time = new MovableTime(systemClock)
    const environment = { ALLOWED_ORIGINS: `${shop},https://other.example` }
    const { api, url } = await startTestGateway(t, { environment, overrides: { clock: time } })
    const [session, another] = [await openSession(api), await openSession(api)]
    const { websocketUrl } = await tokenFor(api, session, { ttlSeconds: 4 })
    const socket = (await openSocket(websocketUrl, { bearer: null })).endWith(t)

    const wrong = [
      [(await tokenFor(api, another)).token, 'unauthorized'],
      ['nonsense', 'unauthorized'],
      [
        (await tokenFor(api, session, { origin: 'https://other.example' })).token,
        'origin-not-allowed',
      ],
    ] as const
    for (const [index, [token, code]] of wrong.entries()) {
      socket.say({ type: 'renew', token })
      await until('it is refused', () => socket.frames.length > index)
      assert.equal(socket.frames[index].problem.code, code)
    }
    time.advance(4000)
    assert.equal((await socket.closed).code, 4401)

    const byKey = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
    byKey.say({ type: 'renew', token: (await tokenFor(api, session)).token })
    assert.equal((await byKey.frame('error')).problem.code, 'invalid-request')
  })
})

describe('A stream token after a restart', () => {
  it('is good on the same store, as long as its origin is still allowed', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const STORE = `sqlite:${file}`
    const first = await startTestGateway(t, { environment: { STORE } })
    const session = await openSession(first.api)
    const { token } = await tokenFor(first.api, session)
    await first.gateway[Symbol.asyncDispose]()

    const second = await startTestGateway(t, { environment: { STORE } })
    const route = `/v1/sessions/${session.id}/events?after=0&token=${token}`
    const reader = await openSse(second.url + route, { bearer: null, headers: { origin: shop } })
    await reader.first(2)
    reader.close()
    await second.gateway[Symbol.asyncDispose]()

    const ALLOWED_ORIGINS = 'https://other.example'
    const third = await startTestGateway(t, { environment: { STORE, ALLOWED_ORIGINS } })
    assertProblem(await bare(third.url + route, { origin: shop }), 'origin-not-allowed')
  })

  it('is good for nothing on another store', async (t) => {
    const [one, other] = [await startTestGateway(t), await startTestGateway(t)]
    const session = await createSession(one.api)
    const { token } = await tokenFor(one.api, session)
    const answer = await bare(`${other.url}/v1/sessions/${session.id}/events?token=${token}`)
    assertProblem(answer, 'unauthorized')
  })
})
