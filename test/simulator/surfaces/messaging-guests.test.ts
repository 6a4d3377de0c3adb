import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { SimulatorOptions } from '../../../src/simulator/options.ts'
import { dial, refusal } from '../socket-client.ts'
import { type Body, signIn, startTestSimulator } from '../support.ts'

const path = '/api/v2/conversations/messaging/guests'
const wanted = {
  name: 'Anonymous Guest',
  email: 'guest@example.com',
  locale: 'en-US',
  queueId: 'queue-1',
  routingData: { priority: 1, skillRequirements: [] },
}

async function scene(t: TestContext, options: Partial<SimulatorOptions> = {}) {
  const simulator = await startTestSimulator(t, options)
  const api = await signIn(simulator)
  const register = (change: Body = {}) => api.call('POST', path, { ...wanted, ...change })
  const urlOf = (guest: Body, token = guest.webChatToken) =>
    `${simulator.url}${path}/${guest.id}/websocket?webChatToken=${token}`
  return {
    control: simulator.control,
    register,
    urlOf,
    open: async () => {
      const { body: guest } = await register()
      const socket = await dial(t, urlOf(guest))
      const send = (change: Body = {}) =>
        socket.send({
          type: 'message',
          conversationId: guest.conversationId,
          senderId: guest.id,
          text: 'Hello, I need assistance with my order.',
          messageType: 'text',
          ...change,
        })
      return { guest, socket, send, id: String(guest.id) }
    },
  }
}

describe('the messaging-guests surface', () => {
  it('G10 registers a guest with a conversation and a token for its socket', async (t) => {
    const { register } = await scene(t)

    const { status, body } = await register()

    assert.equal(status, 201)
    const { id, conversationId, webChatToken, createdAt, ...rest } = body
    for (const made of [id, conversationId, webChatToken, createdAt]) assert(made)
    assert.deepEqual(rest, wanted)
  })

  it('refuses a guest without a name or a queue', async (t) => {
    const { control, register } = await scene(t)

    assert.equal((await register({ name: '' })).status, 400)
    assert.equal((await register({ queueId: undefined })).status, 400)
    control.configure({ messagingGuests: { queueRequired: false } })
    assert.equal((await register({ queueId: undefined })).status, 201)
  })

  it('G10 opens the socket once per token, and only while it is fresh', async (t) => {
    const { control, register, urlOf } = await scene(t)
    const { body: guest } = await register()

    assert.equal((await refusal(t, urlOf(guest, 'made up'))).status, 403)
    assert.equal((await refusal(t, urlOf({ id: 'nobody' }))).status, 403)
    await dial(t, urlOf(guest))
    assert.equal((await refusal(t, urlOf(guest))).status, 403)

    const { body: late } = await register()
    control.advanceClock(60_000)
    assert.equal((await refusal(t, urlOf(late))).status, 403)
    const { body: spent } = await register()
    control.expire(String(spent.id))
    assert.equal((await refusal(t, urlOf(spent))).status, 403)
  })

  it('G10 acknowledges a message with an id of its own', async (t) => {
    const { control, open } = await scene(t)
    const { guest, socket, send, id } = await open()

    send()

    const { messageId, ...ack } = await socket.next()
    assert.deepEqual(ack, { conversationId: guest.conversationId, type: 'ack' })
    const [message] = control.conversation(id)?.messages ?? []
    assert.equal(messageId, message?.id)
    assert.equal(message?.text, 'Hello, I need assistance with my order.')
  })

  it('repeats in the ack what it does not know, where that is switched on', async (t) => {
    const { open } = await scene(t, { messagingGuests: { ackEchoes: 'unknown-fields' } })
    const { socket, send } = await open()

    send({ clientMessageId: 'mine-1' })

    assert.equal((await socket.next()).clientMessageId, 'mine-1')
  })

  it('G10 brings messages, typing and metadata of the conversation', async (t) => {
    const { control, open } = await scene(t)
    const { guest, socket, send, id } = await open()

    control.join(id, { nickname: 'Robin' })
    control.type(id)
    control.say(id, { text: 'Hello, I am Robin' })
    control.close(id)

    const { conversationId } = guest
    assert.deepEqual(await socket.next(), {
      conversationId,
      type: 'conversationMetadata',
      event: 'agentJoined',
    })
    const { type, senderId } = await socket.next()
    assert.equal(type, 'typing')
    const message = await socket.next()
    assert.deepEqual([message.text, message.senderId], ['Hello, I am Robin', senderId])
    assert.equal((await socket.next()).event, 'closed')
    send()
    await socket.pong()
    assert.equal(socket.frames.length, 4)
  })

  it('delivers nothing to another conversation or from another sender, and shows it as switched', async (t) => {
    const { control, open } = await scene(t)
    const { socket, send, id } = await open()
    const seen = async (change: Body) => {
      const before = socket.frames.length
      send(change)
      await socket.pong()
      return socket.frames.slice(before).map(({ type }) => type)
    }
    const astray = { conversationId: 'made-up' }

    assert.deepEqual(await seen(astray), [])
    assert.deepEqual(await seen({ senderId: 'somebody' }), [])
    control.configure({ messagingGuests: { undelivered: 'ack' } })
    assert.deepEqual(await seen(astray), ['ack'])
    control.configure({ messagingGuests: { undelivered: 'error' } })
    assert.deepEqual(await seen(astray), ['error'])
    assert.deepEqual(await seen({ text: '' }), ['error'])
    assert.deepEqual(control.conversation(id)?.messages, [])
  })

  it('takes typing, and refuses what it cannot read', async (t) => {
    const { open } = await scene(t)
    const { guest, socket } = await open()

    socket.send({ type: 'typing', conversationId: guest.conversationId, senderId: guest.id })
    socket.send('{"type":')

    assert.equal((await socket.next()).type, 'error')
    assert.equal(socket.frames.length, 1)
  })

  it('registers a guest a second time as switched', async (t) => {
    const { control, register, urlOf } = await scene(t)
    const { body: guest } = await register()

    assert.notEqual((await register({ id: guest.id })).body.id, guest.id)
    control.configure({ messagingGuests: { secondRegistration: 'conflict' } })
    assert.equal((await register({ id: guest.id })).status, 409)
    control.configure({ messagingGuests: { secondRegistration: 'same-guest' } })
    const { body: again } = await register({ id: guest.id })
    assert.deepEqual([again.id, again.conversationId], [guest.id, guest.conversationId])
    assert.equal((await refusal(t, urlOf(guest))).status, 403)
    await dial(t, urlOf(again))
  })

  it('closes the socket after the end where that is switched on, and when displaced', async (t) => {
    const { control, open } = await scene(t, { messagingGuests: { closedSocket: 'closes' } })
    const one = await open()
    control.close(one.id)
    assert.equal((await one.socket.closed).code, 1000)

    const two = await open()
    control.displace(two.id)
    assert.equal((await two.socket.closed).code, 1008)
  })

  it('A4 asks for the write scope', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator, 'webchat:guest:read webchat:guest:send')

    const { status, body } = await api.call('POST', path, wanted)

    assert.equal(status, 403)
    assert.match(String(body.message), /webchat:guest:write/)
  })
})
