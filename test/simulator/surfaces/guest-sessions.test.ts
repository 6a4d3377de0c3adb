import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { SimulatorOptions } from '../../../src/simulator/options.ts'
import { dial, refusal, type SocketClient } from '../socket-client.ts'
import { type Body, signIn, startTestSimulator } from '../support.ts'

const path = '/api/v2/webmessaging/guest-sessions'
const wanted = {
  channelConfigurationId: 'channel-1',
  guestAttributes: { source: 'web', region: 'US', timestamp: '2026-03-04T09:30:00.000Z' },
  consent: { marketing: false, personalization: false, analytics: true },
}

async function scene(t: TestContext, options: Partial<SimulatorOptions> = {}) {
  const simulator = await startTestSimulator(t, options)
  const api = await signIn(simulator)
  const create = (change: Body = {}) => api.call('POST', path, { ...wanted, ...change })
  return {
    simulator,
    control: simulator.control,
    create,
    refresh: (session: Body, refreshToken: unknown = session.refreshToken) =>
      api.call('POST', `${path}/${session.id}/refresh`, { refreshToken }),
    connect: (session: Body, headers?: Record<string, string>) => dial(t, urlOf(session), headers),
    /** A session with its socket open and hands shaken. */
    open: async () => {
      const { body: session } = await create()
      const socket = await dial(t, urlOf(session))
      await shakeHands(socket, session)
      return { session, socket }
    },
  }
}

function urlOf(session: Body, token = session.accessToken): string {
  return `${session.websocketUrl}?access_token=${token}`
}

async function shakeHands(socket: SocketClient, session: Body): Promise<Body> {
  socket.send({ type: 'handshake', guestSessionId: session.id, timestamp: 'now' })
  return await socket.next(({ type }) => type === 'handshakeAck')
}

describe('the guest-sessions surface', () => {
  it('G4 creates a session with its tokens and the address of its socket', async (t) => {
    const { simulator, create } = await scene(t)

    const { status, body } = await create()

    assert.equal(status, 201)
    for (const name of ['id', 'guestId', 'accessToken', 'refreshToken']) assert(body[name], name)
    assert.deepEqual(body.consent, wanted.consent)
    assert.equal(new URL(String(body.websocketUrl)).host, new URL(simulator.url).host)
    const left = Date.parse(String(body.expiresAt)) - Date.now()
    assert(left > 3_500_000 && left <= 3_600_000)
  })

  it('G4 lets a guest id have one session at a time', async (t) => {
    const { control, create } = await scene(t)
    const { body } = await create({ guestId: 'ada' })
    assert.equal(body.guestId, 'ada')

    const again = await create({ guestId: 'ada' })
    assert.equal(again.status, 409)
    assert.equal(again.body.code, 'conflict')
    control.close('ada')
    assert.equal((await create({ guestId: 'ada' })).status, 201)
  })

  it('G4 refuses what is missing, and forbids foreign channel configurations', async (t) => {
    const { control, create } = await scene(t)

    assert.equal((await create({ channelConfigurationId: undefined })).status, 400)
    assert.equal((await create({ consent: { marketing: 'yes' } })).status, 400)
    control.configure({ guestSessions: { channelConfigurations: ['another'] } })
    assert.equal((await create()).status, 403)
    assert.equal((await create({ channelConfigurationId: 'another' })).status, 201)
  })

  it('G5 forbids strict regions without both consents, and asks for flags as switched', async (t) => {
    const { control, create } = await scene(t)
    const eu = { guestAttributes: { region: 'EU' } }
    const both = { marketing: true, personalization: true, analytics: false }

    assert.equal((await create(eu)).status, 403)
    assert.equal((await create({ ...eu, consent: both })).status, 201)
    assert.equal((await create({ consent: undefined })).status, 400)
    control.configure({ guestSessions: { consentRequired: false, strictConsentRegions: [] } })
    assert.equal((await create({ ...eu, consent: undefined })).status, 201)
  })

  it('A4 asks for both scopes', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator, 'webmessaging:guest:write')

    const { status, body } = await api.call('POST', path, wanted)

    assert.equal(status, 403)
    assert.match(String(body.message), /scope: webmessaging:guest$/)
  })

  it('G6 writes the end of a token in every way there is', async (t) => {
    const { control, create } = await scene(t)
    const written = async (expiresAtFormat: 'z' | 'offset' | 'no-zone' | 'epoch-seconds') => {
      control.configure({ guestSessions: { expiresAtFormat } })
      return (await create()).body.expiresAt
    }

    const z = String(await written('z'))
    assert.match(z, /Z$/)
    const offset = String(await written('offset'))
    assert.match(offset, /\+02:00$/)
    const noZone = String(await written('no-zone'))
    const seconds = Number(await written('epoch-seconds'))
    for (const at of [Date.parse(offset), Date.parse(`${noZone}Z`), seconds * 1_000]) {
      assert(Math.abs(at - Date.parse(z)) < 10_000)
    }
  })
})

describe('rotation of guest tokens', () => {
  it('G6 gives new tokens once per refresh token, and the socket lives on', async (t) => {
    const { control, open, refresh, connect } = await scene(t)
    const { session, socket } = await open()

    const rotated = await refresh(session)
    assert.equal(rotated.status, 200)
    assert.deepEqual(Object.keys(rotated.body), ['accessToken', 'refreshToken', 'expiresAt'])
    assert.equal((await refresh(session)).status, 400)

    const now = { ...session, ...rotated.body }
    assert.equal((await refusal(t, urlOf(session))).status, 401)
    await connect(now)
    socket.send({ type: 'message', text: 'still here', timestamp: 'now' })
    assert((await socket.next()).messageId)
    control.advanceClock(3_599_000)
    assert.equal((await refresh(now)).status, 200)
  })

  it('G6 answers a dead refresh token as switched, and an unknown session with 404', async (t) => {
    const { control, create, refresh } = await scene(t, { tokenTtlSeconds: 1_000_000 })
    const { body: session } = await create()

    for (const deadRefreshStatus of [400, 401, 404] as const) {
      control.configure({ guestSessions: { deadRefreshStatus } })
      assert.equal((await refresh(session, 'made up')).status, deadRefreshStatus)
    }
    assert.equal((await refresh({ id: 'nobody', refreshToken: 'x' })).status, 404)
    control.configure({ guestSessions: { deadRefreshStatus: 400 } })
    control.advanceClock(86_400_000)
    assert.equal((await refresh(session)).status, 400)
  })

  it('G6 leaves out of the answer what it is told to, and that stays good', async (t) => {
    const { control, create, refresh, connect } = await scene(t)
    const { body: session } = await create()
    control.configure({ guestSessions: { refreshLeavesOut: ['accessToken', 'refreshToken'] } })

    const first = await refresh(session)
    assert.deepEqual(Object.keys(first.body), ['expiresAt'])
    assert.equal((await refresh(session)).status, 200)
    await connect(session)
    control.configure({ guestSessions: { refreshLeavesOut: ['expiresAt'] } })
    assert.deepEqual(Object.keys((await refresh(session)).body), ['accessToken', 'refreshToken'])
  })

  it('lets the old access token live out its time where that is switched on', async (t) => {
    const { create, refresh, connect } = await scene(t, {
      guestSessions: { oldAccessToken: 'lives' },
    })
    const { body: session } = await create()
    await refresh(session)

    await connect(session)
  })

  it('closes the socket when the token has expired, unless switched otherwise', async (t) => {
    const { control, open } = await scene(t, { guestSessions: { guestTokenTtlSeconds: 60 } })
    const { session, socket } = await open()

    control.advanceClock(60_000)
    assert.equal((await socket.closed).code, 1008)
    const late = await refusal(t, urlOf(session))
    assert.equal(late.status, 401)
    assert.match(late.text, /credentials.expired/)

    control.configure({ guestSessions: { expiredSocket: 'stays' } })
    const other = await open()
    control.advanceClock(60_000)
    await other.socket.pong()
  })

  it('ends both tokens of a session when told to', async (t) => {
    const { control, open, refresh } = await scene(t)
    const { session, socket } = await open()

    control.expire(String(session.id))

    assert.equal((await socket.closed).code, 1008)
    assert.equal((await refresh(session)).status, 400)
  })
})

describe('the socket of a guest session', () => {
  it('G7 lets in who has a token and an allowed origin', async (t) => {
    const origin = 'https://shop.example'
    const { create, connect } = await scene(t, { guestSessions: { allowedOrigins: [origin] } })
    const { body: session } = await create()

    assert.equal((await refusal(t, urlOf(session))).status, 403)
    const foreign = { origin: 'https://evil.example' }
    assert.equal((await refusal(t, urlOf(session), foreign)).status, 403)
    assert.equal((await refusal(t, urlOf(session, 'made up'), { origin })).status, 401)
    await connect(session, { origin })
  })

  it('G7 refuses what comes before the handshake, and a handshake for another session', async (t) => {
    const { control, create, connect } = await scene(t)
    const { body: session } = await create()
    const socket = await connect(session)

    socket.send({ type: 'message', text: 'too early', timestamp: 'now' })
    assert.equal((await socket.next()).code, 'handshake_required')
    socket.send({ type: 'handshake', guestSessionId: 'another' })
    assert.equal((await socket.next()).code, 'wrong_session')
    await shakeHands(socket, session)
    socket.send({ type: 'message', text: 'now', timestamp: 'now' })
    assert.equal((await socket.next()).type, 'ack')

    const { messages } = control.conversation(String(session.id)) ?? {}
    assert.deepEqual(
      messages?.map(({ text }) => text),
      ['now'],
    )
  })

  it('acknowledges messages and brings those of the agent', async (t) => {
    const { control, open } = await scene(t)
    const { session, socket } = await open()

    socket.send({ type: 'message', text: 'hello', timestamp: 'now' })
    const ack = await socket.next()
    assert.equal(ack.type, 'ack')
    control.type(String(session.id))
    control.say(String(session.guestId), { text: 'Hello, I am Sam' })

    assert.equal((await socket.next()).type, 'typing')
    const { type, text, timestamp } = await socket.next()
    assert.deepEqual([type, text], ['message', 'Hello, I am Sam'])
    assert.equal(new Date(String(timestamp)).toISOString(), timestamp)
    const [received] = control.received.list('guest-sessions.connect.frame').slice(-1)
    assert.deepEqual(received?.body, { type: 'message', text: 'hello', timestamp: 'now' })
  })

  it('answers as switched: no acks, another handshake, a query in the address', async (t) => {
    const { control, create } = await scene(t, {
      guestSessions: { acks: false, handshakeAnswer: 'nothing', websocketUrlHasQuery: true },
    })
    const { body: session } = await create()
    const url = new URL(String(session.websocketUrl))
    assert.notEqual(url.search, '')
    url.searchParams.set('access_token', String(session.accessToken))
    const socket = await dial(t, url.href)

    socket.send({ type: 'handshake', guestSessionId: session.id })
    socket.send({ type: 'message', text: 'hello' })
    await socket.pong()

    assert.deepEqual(socket.frames, [])
    assert.equal(control.conversation(String(session.id))?.messages.length, 1)
  })

  it('refuses frames that are unreadable, unknown, too long or too many', async (t) => {
    const { control, open } = await scene(t)
    const { socket } = await open()
    const codeOf = async (frame: unknown) => {
      socket.send(frame)
      return (await socket.next()).code
    }

    assert.equal(await codeOf('{"type":'), 'bad_frame')
    assert.equal(await codeOf({ type: 'dance' }), 'unknown_type')
    assert.equal(await codeOf({ type: 'message', text: '' }), 'bad_message')
    assert.equal(await codeOf({ type: 'message', text: 'é'.repeat(2049) }), 'message_too_large')
    control.configure({ guestSessions: { frameRate: { limit: 1, windowMs: 60_000 } } })
    assert.equal(await codeOf({ type: 'message', text: 'one' }), undefined)
    assert.equal(await codeOf({ type: 'message', text: 'two' }), 'rate_limited')
  })

  it('shows the end of the conversation as switched', async (t) => {
    const { control, open } = await scene(t)
    const first = await open()
    control.close(String(first.session.id))
    assert.equal((await first.socket.closed).code, 1000)
    assert.equal((await refusal(t, urlOf(first.session))).status, 403)

    control.configure({ guestSessions: { endOfConversation: 'nothing' } })
    const { session, socket } = await open()
    control.close(String(session.id))
    socket.send({ type: 'message', text: 'anyone?' })
    assert.equal((await socket.next()).code, 'session_ended')
  })

  it('is displaced when told so', async (t) => {
    const { control, open } = await scene(t)
    const { session, socket } = await open()

    control.displace(String(session.id))

    assert.deepEqual(await socket.closed, { code: 1008, reason: 'displaced' })
  })
})
