import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { createSession, openSession, send, transcript } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { startOn, startPlatform } from './support/platform.ts'

const dialect = 'messaging-guests'

describe('messaging-guests (G10)', { concurrency: 4 }, () => {
  it('connects at once, once, with the token of the registration', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    const askedAt = performance.now()
    const session = await openSession(api, {
      dialect,
      guest: { name: 'Ada', email: 'ada@example.com', locale: 'en-US' },
      routing: { queueId: 'queue-1', skills: ['billing'] },
    })
    assert.ok(performance.now() - askedAt < 2_000)
    const [registration] = platform.requests
    assert.deepEqual(registration?.body, {
      name: 'Ada',
      email: 'ada@example.com',
      locale: 'en-US',
      queueId: 'queue-1',
      routingData: { priority: 1, skillRequirements: ['billing'] },
    })
    assert.deepEqual(
      platform.dials.map(({ url }) => url),
      ['/api/v2/conversations/messaging/guests/guest-1/websocket?webChatToken=fake-chat-1'],
    )
    assert.equal(session.conversationId, 'conversation-1')
  })

  it('matches acks to messages however frames come in between', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    let numbered = 0
    platform.onFrame = (socket, frame) => {
      numbered += 1
      const noise = [
        { type: 'typing', senderId: 'agent-1' },
        { type: 'conversationMetadata', event: 'agentJoined' },
        { type: 'conversationMetadata', event: 'somethingNew', details: { a: 1 } },
        {
          type: 'message',
          senderId: 'agent-1',
          messageId: `a-${numbered}`,
          text: `to ${frame.text}`,
        },
        { type: 'ack' },
        { type: 'ack', messageId: `m-${numbered}` },
        { type: 'ack', messageId: `m-${numbered}` },
        { type: 'typing', senderId: 'agent-1' },
      ]
      for (const each of noise) if (each.type !== 'ack' || 'messageId' in each) socket.send(each)
    }
    const session = await openSession(api, { dialect })
    const answers = await Promise.all(
      ['one', 'two', 'three'].map((text) => send(api, session, text)),
    )
    assert.deepEqual(
      answers.map(({ body }) => [body.text, body.status, body.upstreamId]),
      [
        ['one', 'sent', 'm-1'],
        ['two', 'sent', 'm-2'],
        ['three', 'sent', 'm-3'],
      ],
    )
    const { frames } = await platform.socket(0)
    assert.deepEqual(
      frames,
      ['one', 'two', 'three'].map((text) => ({
        type: 'message',
        conversationId: 'conversation-1',
        senderId: 'guest-1',
        text,
        messageType: 'text',
      })),
    )
    const inbound = await until('the answers', async () => {
      const said = await transcript(api, session)
      const heard = said.filter(({ direction }) => direction === 'inbound')
      return heard.length === 3 && heard
    })
    assert.deepEqual(
      inbound.map(({ text }) => text),
      ['to one', 'to two', 'to three'],
    )
  })

  it('takes an ack that comes after the answer it led to, and nothing of what the guest itself says', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    platform.onFrame = (socket, frame) => {
      socket.send({ ...frame, messageId: 'echo-1' })
      socket.send({ type: 'typing', senderId: 'guest-1' })
      socket.send({ type: 'message', senderId: 'agent-1', messageId: 'a-1', text: 'Yes?' })
      socket.send({ type: 'ack', messageId: 'm-1' })
    }
    const session = await openSession(api, { dialect })
    assert.equal((await send(api, session, 'Hello?')).body.upstreamId, 'm-1')
    const said = await until('both', async () => {
      const items = await transcript(api, session)
      return items.length === 2 && items
    })
    assert.deepEqual(
      said.map(({ direction, text }) => [direction, text]),
      [
        ['outbound', 'Hello?'],
        ['inbound', 'Yes?'],
      ],
    )
  })

  it('shows that the other side types, and ends with the conversation', async (t) => {
    const { api, simulator, url } = await startTestGateway(t)
    const session = await openSession(api, { dialect })
    const events = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    t.after(() => events.close())
    await send(api, session, 'Hello')
    simulator.control.type(session.conversationId)
    await until('typing', () => events.types.includes('typing'))
    simulator.control.say(session.conversationId, { text: 'Goodbye' })
    simulator.control.close(session.conversationId)
    await until('the end', () => events.types.includes('session.closed'))
    assert.deepEqual(events.types.slice(-2), ['message.received', 'session.closed'])
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.equal(body.closeReason, 'conversation closed')
    await simulator.control.sockets.settled(0)
  })

  it('is not ended, nor taken elsewhere, by any metadata but closed; what it says is in no log', async (t) => {
    const platform = await startPlatform(t)
    const { api, logs, url } = await startOn(t, platform)
    platform.onFrame = ({ send }) => send({ type: 'ack', messageId: 'm-1' })
    const session = await openSession(api, { dialect })
    const events = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    t.after(() => events.close())
    const socket = await platform.socket(0)
    const metadata = [
      { event: 'agentJoined', agent: { name: 'Secret Sam' } },
      { event: 'transferred', conversationId: 'conversation-77' },
      { event: 'participantUpdated', state: 'disconnected' },
      { event: 'Secret Sam said: closed' },
      { event: null },
      { event: ['closed'] },
      {},
    ]
    for (const each of metadata) socket.send({ type: 'conversationMetadata', ...each })
    socket.send({ type: 'message', senderId: 'agent-1', messageId: 'a-1', text: 'Still here' })
    await until('what follows', () => events.types.includes('message.received'))
    assert.equal((await send(api, session, 'Me too')).body.status, 'sent')
    assert.equal(socket.frames.at(-1)?.conversationId, 'conversation-1')
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.deepEqual([body.state, body.conversationId], ['active', 'conversation-1'])
    const noticed = logs.filter((line) => line.includes('means nothing here'))
    assert.equal(noticed.length, metadata.length)
    assert.ok(noticed[0]?.includes('"frame":"conversationMetadata agentJoined"'), noticed[0])
    assert.ok(!logs.join('').includes('Secret Sam'))

    socket.send({ type: 'conversationMetadata', event: 'Closed' })
    await until('the end', () => events.types.includes('session.closed'))
  })

  it('ends the session as stream-lost when the socket is lost, whoever closes it and however', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    for (const close of [{}, { code: 1000, reason: 'done' }, { code: 1011 }] as const) {
      const session = await openSession(api, { dialect })
      simulator.control.sockets.drop(close)
      const body = await until('the end', async () => {
        const answer = await api('GET', `/v1/sessions/${session.id}`)
        return answer.body.state === 'closed' && answer.body
      })
      assert.deepEqual([body.closeReason, body.stream.state], ['stream-lost', 'closed'])
    }
    const registered = simulator.control.received.list('messaging-guests.registerGuest')
    assert.equal(registered.length, 3, 'no guest is registered twice')
  })

  it('fails the session when the token is not accepted', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const operation = 'messaging-guests.connect'
    simulator.control.faults.add({ kind: 'status', status: 403, operation })
    const session = await createSession(api, { dialect })
    const body = await until('the end', async () => {
      const answer = await api('GET', `/v1/sessions/${session.id}`)
      return answer.body.state === 'failed' && answer.body
    })
    assert.equal(body.closeReason, 'the platform refused the stream (403)')
    assert.equal(simulator.control.received.list(operation).length, 1)
  })

  it('bears an outage between registration and socket', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const operation = 'messaging-guests.connect'
    simulator.control.faults.add({ kind: 'status', status: 503, operation, count: 2 })
    const session = await openSession(api, { dialect })
    assert.equal((await send(api, session, 'Hello')).body.status, 'sent')
  })
})
