import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { FaultRequest } from '../../src/simulator/fault-rules.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { dial, refusal, type SocketClient } from './socket-client.ts'
import { type Body, signIn, startTestSimulator } from './support.ts'

const operation = 'guest-sessions.connect'

/** Any surface with a socket would do. */
async function scene(t: TestContext) {
  const simulator = await startTestSimulator(t)
  const { control } = simulator
  const api = await signIn(simulator)
  const { body: session } = await api.call('POST', '/api/v2/webmessaging/guest-sessions', {
    channelConfigurationId: 'channel-1',
    consent: { marketing: true, personalization: true, analytics: true },
  })
  const url = `${session.websocketUrl}?access_token=${session.accessToken}`
  const id = String(session.id)
  return {
    simulator,
    control,
    url,
    id,
    connect: async () => {
      const socket = await dial(t, url)
      socket.send({ type: 'handshake', guestSessionId: id })
      await socket.next()
      return socket
    },
    /** The agent says each of them. */
    say: (...texts: string[]) => {
      for (const text of texts) control.say(id, { text })
    },
    said: () => control.conversation(id)?.messages.map(({ text }) => text),
    order: (fault: FaultRequest) => control.faults.add(fault),
  }
}

async function roundTrip(simulator: Simulator): Promise<void> {
  await (await fetch(`${simulator.url}/__simulator/state`)).body?.cancel()
}

/** What the client got so far, once the server has answered a ping. */
async function texts(socket: SocketClient): Promise<unknown[]> {
  await socket.pong()
  return socket.frames
    .filter(({ type }) => type !== 'handshakeAck')
    .map(({ text, unreadable, type }) => text ?? unreadable ?? type)
}

describe('faults on the frames of a socket', () => {
  it('drop one, so that an ack can be swallowed', async (t) => {
    const { order, connect, said } = await scene(t)
    order({ kind: 'frame-drop', contains: '"type":"ack"', count: 1 })
    const socket = await connect()

    socket.send({ type: 'message', text: 'one' })
    socket.send({ type: 'message', text: 'two' })

    assert.deepEqual(await texts(socket), ['ack'])
    assert.deepEqual(said(), ['one', 'two'])
  })

  it('duplicate one, in either direction', async (t) => {
    const { order, connect, say, said } = await scene(t)
    order({ kind: 'frame-duplicate', contains: 'twice', count: 1 })
    order({ kind: 'frame-duplicate', direction: 'from-guest', contains: 'thrice', times: 2 })
    const socket = await connect()

    say('once', 'twice')
    assert.deepEqual(await texts(socket), ['once', 'twice', 'twice'])
    socket.send({ type: 'message', text: 'thrice' })
    await texts(socket)
    assert.deepEqual(said()?.slice(2), ['thrice', 'thrice', 'thrice'])
  })

  it('delay one until the clock has moved, so that others overtake it', async (t) => {
    const { control, order, connect, say } = await scene(t)
    order({ kind: 'frame-delay', delayMs: 60_000, contains: 'slow' })
    const socket = await connect()

    say('slow', 'fast')
    assert.deepEqual(await texts(socket), ['fast'])
    control.advanceClock(60_000)
    assert.deepEqual(await texts(socket), ['fast', 'slow'])
  })

  it('spread frames by a jitter drawn from the seed', async (t) => {
    const run = async () => {
      const { control, order, connect, say } = await scene(t)
      const socket = await connect()
      order({ kind: 'frame-delay', delayMs: 60_000, jitterMs: 60_000 })
      say('1', '2', '3', '4', '5', '6')
      control.advanceClock(120_000)
      return await texts(socket)
    }

    const first = await run()
    assert.notDeepEqual(first, first.toSorted())
    assert.deepEqual(first.toSorted(), ['1', '2', '3', '4', '5', '6'])
    assert.deepEqual(await run(), first)
  })

  it('shuffle frames, and let the last ones go after a while', async (t) => {
    const { control, order, connect, say } = await scene(t)
    const socket = await connect()
    order({ kind: 'frame-shuffle', size: 3, holdMs: 60_000 })

    say('1', '2', '3', '4', '5')
    assert.deepEqual(await texts(socket), ['3', '2', '1'])
    control.advanceClock(60_000)
    assert.deepEqual(await texts(socket), ['3', '2', '1', '5', '4'])
  })

  it('spoil one, and lose one on its way in', async (t) => {
    const { order, connect, say, said } = await scene(t)
    const socket = await connect()
    order({ kind: 'frame-malformed', count: 1 })
    order({ kind: 'frame-drop', direction: 'from-guest', count: 1 })

    say('spoilt')
    const [spoilt] = await texts(socket)
    assert.throws(() => JSON.parse(String(spoilt)))
    socket.send({ type: 'message', text: 'lost' })
    socket.send({ type: 'message', text: 'kept' })
    await texts(socket)
    assert.deepEqual(said(), ['spoilt', 'kept'])
  })

  it('close the socket after the n-th frame, with a code or without', async (t) => {
    const { control, order, connect, say } = await scene(t)
    const socket = await connect()
    const first = order({ kind: 'frame-close', code: 1001, reason: 'Going away', skip: 1 })

    say('1', '2', '3')
    assert.deepEqual(await socket.closed, { code: 1001, reason: 'Going away' })
    assert.equal(socket.frames.length, 3)
    control.faults.remove(first.id)

    const another = await connect()
    order({ kind: 'frame-close' })
    say('4')
    assert.equal((await another.closed).code, 1006)
  })

  it('refuse a frame instead of acting on it', async (t) => {
    const { control, order, connect, said } = await scene(t)
    const socket = await connect()
    order({ kind: 'frame-refuse', code: 503, message: 'Not now', count: 1 })

    socket.send({ type: 'message', text: 'one' })
    const { status, message } = await socket.next()

    assert.deepEqual([status, message], [503, 'Not now'])
    assert.deepEqual(said(), [])
    const [frame] = control.received.list(`${operation}.frame`).slice(-1)
    assert.deepEqual([frame?.acted, frame?.fault], [false, 'frame-refuse'])
  })

  it('freeze the socket after a frame: it looks open and nothing comes, not even a pong', async (t) => {
    const { control, order, connect, say } = await scene(t)
    const socket = await connect()
    order({ kind: 'frame-freeze', count: 1 })
    say('last')
    await socket.next()
    let ponged = false
    socket.raw.once('pong', () => {
      ponged = true
    })

    socket.raw.ping()
    say('unheard')
    const other = await connect()
    await other.pong()
    assert.equal(ponged, false)
    assert.equal(control.sockets.list()[0]?.frozen, true)

    assert.equal(control.sockets.freeze({ frozen: false }), 2)
    assert.deepEqual(await texts(socket), ['last'])
  })
})

describe('faults on the upgrade to a socket', () => {
  it('answer it with a status', async (t) => {
    const { control, order, url } = await scene(t)
    order({ kind: 'status', status: 503, retryAfter: 9, operation, count: 1 })
    order({ kind: 'rate-limit', retryAfter: 3, operation })

    const refused = await refusal(t, url)
    assert.deepEqual([refused.status, refused.retryAfter], [503, '9'])
    assert.match(refused.text, /service.unavailable/)
    assert.equal((await refusal(t, url)).status, 429)
    const upgrades = control.received.list(operation)
    assert.deepEqual(
      upgrades.map(({ answeredStatus }) => answeredStatus),
      [503, 429],
    )
    assert(!JSON.stringify(upgrades).includes(url.split('=').at(-1) ?? ''))
  })

  it('reset it, delay it, or never answer', async (t) => {
    const { simulator, control, order, url } = await scene(t)
    order({ kind: 'reset', operation, count: 1 })
    await assert.rejects(dial(t, url), { code: 'ECONNRESET' })

    order({ kind: 'latency', latencyMs: 600_000, operation, count: 1 })
    const late = dial(t, url)
    while (control.received.list(operation).length < 2) await roundTrip(simulator)
    control.advanceClock(600_000)
    await late

    order({ kind: 'hang', operation })
    const hung = control.received.next(({ fault }) => fault === 'hang')
    const never = dial(t, url)
    await hung
    control.reset()
    await assert.rejects(never)
  })

  it('are not needed to refuse a path without a socket', async (t) => {
    const { simulator } = await scene(t)

    assert.equal((await refusal(t, `${simulator.url}/api/v2/nowhere`)).status, 404)
  })
})

describe('sockets under control', () => {
  it('are listed, and dropped with a close code or without', async (t) => {
    const { simulator, control, id, connect } = await scene(t)
    const [one, two] = [await connect(), await connect()]
    const [listed] = control.sockets.list({ operation: 'guest-sessions' })
    assert.deepEqual(
      [listed?.operation, listed?.subject, listed?.frames],
      [operation, id, { toGuest: 1, fromGuest: 1 }],
    )

    const http = async (path: string, body?: Body) => {
      const response = await fetch(`${simulator.url}/__simulator/sockets${path}`, {
        ...(body && { method: 'POST', body: JSON.stringify(body) }),
      })
      return (await response.json()) as { items: Body[]; hit: number }
    }
    assert.equal((await http(`?subject=${id}`)).items.length, 2)
    assert.deepEqual(await http('/drop', { id: listed?.id, code: 1001, reason: 'bye' }), { hit: 1 })
    assert.deepEqual(await one?.closed, { code: 1001, reason: 'bye' })
    assert.deepEqual(await http('/drop', { subject: id }), { hit: 1 })
    assert.equal((await two?.closed)?.code, 1006)
    await control.sockets.settled(0)
  })

  it('stay half open while frozen, whatever the platform wants, until they are dropped', async (t) => {
    const { control, id, connect } = await scene(t)
    const socket = await connect()
    let isClosed = false
    void socket.closed.then(() => {
      isClosed = true
    })
    control.sockets.freeze()
    control.expire(id)
    assert.deepEqual([control.sockets.list().length, isClosed], [1, false])

    control.sockets.drop({ code: 1012, reason: 'Service Restart' })
    assert.equal((await socket.closed).code, 1012)
  })

  it('bring frames of the test’s own making', async (t) => {
    const { control, connect } = await scene(t)
    const socket = await connect()

    assert.equal(control.sockets.push({ frame: { type: 'novelty', odd: [1] } }), 1)

    assert.deepEqual(await socket.next(), { type: 'novelty', odd: [1] })
  })

  it('take no binary frames', async (t) => {
    const { connect } = await scene(t)
    const socket = await connect()

    socket.raw.send(Buffer.from([1, 2, 3]))

    assert.equal((await socket.closed).code, 1003)
  })

  it('are cut by a reset', async (t) => {
    const { control, connect } = await scene(t)
    const socket = await connect()

    control.reset()

    assert.equal((await socket.closed).code, 1006)
  })
})
