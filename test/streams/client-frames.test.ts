import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { textsAt } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import { openSocket, type SocketReader } from '../support/session-socket.ts'
import { type OpenedSession, openSession, transcript } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { settleDown } from './support/settle-down.ts'

describe('What a client says on a session’s WebSocket', () => {
  const gateway = sharedGateway()
  let talked: Promise<OpenedSession> | undefined
  async function connect(t: { after(end: () => void): void }) {
    const { api, url } = gateway()
    talked ??= openSession(api)
    const session = await talked
    const socket = await openSocket(`${url}/v1/sessions/${session.id}/ws`)
    return { session, socket: socket.endWith(t), api }
  }

  it('is the guest’s own message: acknowledged under the client’s id, then an event like any', async (t) => {
    const { session, socket, api } = await connect(t)
    socket.say({ type: 'message', id: 'mine-1', text: 'Hello' })
    const { messageId } = await socket.frame('ack', { id: 'mine-1' })
    const { data } = await socket.frame('message.sent')
    assert.equal(data.id, messageId)
    const message = (await transcript(api, session)).at(-1)
    assert.deepEqual(message, data)
    assert.deepEqual([message.author, message.direction], ['user', 'outbound'])
  })

  it('arrives in its order', async (t) => {
    const { session, socket } = await connect(t)
    const texts = Array.from({ length: 30 }, (_, index) => `message ${index}`)
    for (const text of texts) socket.say({ type: 'message', id: text, text })
    await until(
      'all are sent',
      () => socket.frames.filter((f) => f.type === 'message.sent').length === 30,
    )
    assert.deepEqual(textsAt(gateway().simulator, session.conversationId).slice(-30), texts)
    const acks = socket.frames.filter(({ type }) => type === 'ack')
    assert.deepEqual(
      acks.map(({ id }) => id),
      texts,
    )
  })

  const refused = [
    ['no JSON', 'Hello', null, 'invalid-request'],
    ['nothing', '', null, 'invalid-request'],
    ['no object', '["message"]', null, 'invalid-request'],
    ['an unknown type', '{"type":"shout","id":"mine"}', 'mine', 'invalid-request'],
    ['no type', '{"id":"mine","text":"Hello"}', 'mine', 'invalid-request'],
    ['no id', '{"type":"message","text":"Hello"}', null, 'invalid-request'],
    ['an id that is none', '{"type":"message","id":7,"text":"Hello"}', null, 'invalid-request'],
    ['no text', '{"type":"message","id":"mine"}', 'mine', 'invalid-request'],
    ['an empty text', '{"type":"message","id":"mine","text":""}', 'mine', 'invalid-request'],
    [
      'a control character',
      '{"type":"message","id":"mine","text":"\\u0000"}',
      'mine',
      'invalid-request',
    ],
    [
      'an author',
      '{"type":"message","id":"mine","text":"Hi","author":"agent"}',
      'mine',
      'invalid-request',
    ],
    [
      'a long text',
      JSON.stringify({ type: 'message', id: 'mine', text: 'x'.repeat(4097) }),
      'mine',
      'message-too-large',
    ],
    [
      'a blocked text',
      '{"type":"message","id":"mine","text":"a blocked_keyword"}',
      'mine',
      'content-blocked',
    ],
    ['typing where the dialect cannot', '{"type":"typing"}', null, 'not-supported-by-dialect'],
  ] as const
  for (const [what, text, id, code] of refused) {
    it(`with ${what} gets an error frame and goes on`, async (t) => {
      const { session, socket, api } = await connect(t)
      const before = await transcript(api, session)
      if (code === 'invalid-request') socket.sayNonsense(text)
      else socket.ws.send(text)
      const frame = await socket.frame('error')
      assert.equal(frame.id, id)
      assert.equal(frame.problem.code, code)
      assert.equal(frame.problem.instance, `/v1/sessions/${session.id}/ws`)
      socket.say({ type: 'message', id: `next after ${what}`, text: 'Hello' })
      await socket.frame('ack', { id: `next after ${what}` })
      assert.equal((await transcript(api, session)).length, before.length + 1)
    })
  }

  it('is typing, where the dialect can show it', async (t) => {
    const { api, url, simulator } = gateway()
    const session = await openSession(api, { dialect: 'web-messaging' })
    const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
    socket.say({ type: 'typing' })
    const frames = () => simulator.control.received.list('web-messaging')
    await until('it shows', () =>
      frames().some(({ body }) => /"Typing"/.test(JSON.stringify(body))),
    )
    assert.ok(!socket.frames.some(({ type }) => type === 'error'))
  })

  it('in binary gets an error frame', async (t) => {
    const { socket } = await connect(t)
    socket.sayNonsense(Buffer.from('{"type":"typing"}'))
    assert.equal((await socket.frame('error')).problem.code, 'invalid-request')
  })

  it('that is too long for a frame, or no text at all, closes with the code of the protocol', async (t) => {
    const { socket: long } = await connect(t)
    long.sayNonsense('x'.repeat(128 * 1024 + 1))
    assert.equal((await long.closed).code, 1009)
    const { socket: broken } = await connect(t)
    broken.sayNonsense(Buffer.from([0xc3, 0x28]), { binary: false })
    assert.equal((await broken.closed).code, 1007)
  })

  it('comes too late for a session that is over', async (t) => {
    const { session, socket, api } = await connect(t)
    await api('DELETE', `/v1/sessions/${session.id}`)
    socket.say({ type: 'message', id: 'late', text: 'Hello' })
    assert.equal((await socket.frame('error', { id: 'late' })).problem.code, 'session-closed')
  })
})

describe('Too much of it', () => {
  const limits = [
    [
      'messages',
      30,
      (socket: SocketReader) => socket.say({ type: 'message', id: randomUUID(), text: 'Hello' }),
    ],
    ['frames of no use', 300, (socket: SocketReader) => socket.sayNonsense('{"type":"nonsense"}')],
  ] as const
  for (const [what, limit, say] of limits) {
    it(`closes with 4429: more than ${limit} ${what} in ten seconds`, async (t) => {
      const time = new MovableTime(systemClock)
      const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
      const session = await openSession(api)
      const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
      const send = (count: number) => {
        for (let sent = 0; sent < count; sent += 1) say(socket)
      }
      const answered = () => socket.frames.filter(({ type }) => /^(ack|error)$/.test(type)).length
      send(limit)
      await until('all are answered', () => answered() === limit)
      assert.equal(socket.ws.readyState, socket.ws.OPEN)

      // Another ten seconds are another allowance.
      for (let beats = 0; beats < 2; beats += 1) {
        await settleDown(api)
        time.advance(5000)
      }
      send(limit + 20)
      const { code } = await socket.closed
      assert.equal(code, 4429)
      assert.ok(answered() <= 2 * limit)
      const acks = socket.frames.filter(({ type }) => type === 'ack')
      const messages = await transcript(api, session)
      // One may be on its way into the journal when the door closes.
      assert.ok([0, 1].includes(messages.length - acks.length))
      assert.ok(messages.length <= 2 * limit)
    })
  }

  it('closes with 4429 also when it is pings', async (t) => {
    const { api, url } = await startTestGateway(t)
    const session = await openSession(api)
    const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
    // One after the other: a burst of them ends the connection without a word.
    socket.ws.on('pong', () => socket.ws.ping())
    socket.ws.ping()
    assert.equal((await socket.closed).code, 4429)
  })
})

describe('What the other side does', () => {
  const gateway = sharedGateway()

  it('is a message.received on every stream', async (t) => {
    const { api, url, simulator } = gateway()
    const session = await openSession(api, { dialect: 'guest-sessions' })
    const route = `${url}/v1/sessions/${session.id}`
    const socket = (await openSocket(`${route}/ws`)).endWith(t)
    const sse = await openSse(`${route}/events`)
    simulator.control.say(session.guestId, { text: 'How can I help?' })
    const event = await socket.frame('message.received')
    assert.equal(event.data.text, 'How can I help?')
    assert.deepEqual([event.data.direction, event.data.author], ['inbound', 'agent'])
    const [seen] = await sse.first(1)
    assert.deepEqual(seen?.data, event)
    sse.close()
  })

  it('when it types is told to those who look, without a sequence, and never again', async (t) => {
    const { api, url, simulator } = gateway()
    const session = await openSession(api, { dialect: 'guest-sessions' })
    const route = `${url}/v1/sessions/${session.id}`
    const socket = (await openSocket(`${route}/ws`)).endWith(t)
    const sse = await openSse(`${route}/events`)
    const all = await openSse(`${url}/v1/events`)
    simulator.control.type(session.guestId)
    const typing = await socket.frame('typing')
    assert.equal(typing.subject, session.id)
    assert.equal(typing.sequence, undefined)
    const [seen] = await sse.first(1)
    assert.equal(seen?.data.type, 'typing')
    assert.equal(seen?.id, undefined)
    assert.equal(seen?.lastId, sse.lastId)

    simulator.control.say(session.guestId, { text: 'Here I am' })
    await socket.frame('message.received')
    const late = (await openSocket(`${route}/ws?after=0`)).endWith(t)
    const lateSse = await openSse(`${route}/events?after=0`)
    await late.frame('message.received')
    await until('the last has come', () => lateSse.types.includes('message.received'))
    assert.ok(!late.frames.some(({ type }) => type === 'typing'))
    assert.ok(!lateSse.types.includes('typing'))
    await until('the last has come', () => all.types.includes('message.received'))
    assert.ok(!all.types.includes('typing'))
    for (const stream of [sse, lateSse, all]) stream.close()
  })
})
