import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Frame, guestScene } from './guest.ts'

const hex32 = /^[0-9a-f]{32}$/
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

describe('messages of a guest', () => {
  it('come back as the echo, which is the ack, on every connection', async (t) => {
    const { guest, control } = await guestScene(t)
    const one = await guest()
    const other = await guest(one.token)

    const echo = await one.say('Where is my order?')

    assert.deepEqual([echo.type, echo.class, echo.code], ['message', 'StructuredMessage', 200])
    const { id, channel, metadata, ...rest } = echo.body
    assert.deepEqual(rest, { type: 'Text', direction: 'Inbound', text: 'Where is my order?' })
    assert.match(String(id), hex32)
    const { time, messageId } = channel as Record<string, string>
    assert.equal(new Date(String(time)).toISOString(), time)
    assert.match(String(messageId), uuid)
    assert.deepEqual(Object.keys(metadata as object), ['correlationId'])
    assert.deepEqual(await other.next('StructuredMessage'), echo)
    assert(!JSON.stringify(echo).includes(String(control.conversation(one.token)?.id)))
  })

  it('carry attributes inside the message or beside it, and they stay with the guest', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const channel = (customAttributes: object) => ({ metadata: { customAttributes } })

    const inside = await one.say('hello', { channel: channel({ plan: 'gold' }) })
    assert.deepEqual((inside.body.channel as Frame).metadata, {
      customAttributes: { plan: 'gold' },
    })
    await one.ask('onMessage', {
      message: { type: 'Text', text: 'again' },
      channel: channel({ plan: 'silver', customerNumber: '12345' }),
    })

    assert.deepEqual(control.conversation(one.token)?.guest.customAttributes, {
      plan: 'silver',
      customerNumber: '12345',
    })
  })

  it('U8 bring their metadata back, or not', async (t) => {
    const { set, guest } = await guestScene(t)
    const one = await guest()

    const { body } = await one.say('hello', { metadata: { id: 'mine' } })
    assert.equal((body.metadata as Frame).id, 'mine')
    set({ metadataEchoed: false })
    const second = await one.say('hello', { metadata: { id: 'mine' } })
    assert.equal((second.body.metadata as Frame).id, undefined)
  })

  it('U21 are delivered twice under one tracingId, or only echoed', async (t) => {
    const { control, set, guest } = await guestScene(t)
    const one = await guest()
    const twice = { tracingId: 'same', message: { type: 'Text', text: 'hello' } }
    const send = async () => {
      one.socket.send({ action: 'onMessage', token: one.token, ...twice })
      return await one.next('StructuredMessage')
    }

    const first = await send()
    assert.notEqual((await send()).body.id, first.body.id)
    assert.equal(control.conversation(one.token)?.messages.length, 2)
    set({ repeatedTracingId: 'echoed-only' })
    assert.equal((await send()).tracingId, 'same')
    assert.equal(control.conversation(one.token)?.messages.length, 2)
  })

  it('answer structured content, in both ways clients do it', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const button = (type: string, text: string) => ({
      contentType: 'ButtonResponse',
      buttonResponse: { type, text, payload: 'p', originatingMessageId: 'm' },
    })

    for (const message of [
      { type: 'Text', text: '', content: [button('QuickReply', 'Yes')] },
      { type: 'Structured', text: 'Yes', content: [button('QuickReply', 'Yes')] },
      { type: 'Structured', text: 'Choose', content: [button('Button', 'Choose')] },
      { type: 'Text', text: '', content: [button('DatePicker', '9:30')] },
      { type: 'Structured', content: [button('ListPicker', 'a'), button('ListPicker', 'b')] },
      { type: 'Structured', content: [{ contentType: 'Form', form: { response: [{}] } }] },
    ]) {
      const { code, body } = await one.ask('onMessage', { message })
      assert.equal(code, 200, JSON.stringify(message))
      assert.equal(body.type, 'Structured')
      assert.deepEqual(body.content, message.content)
    }
    assert.equal(control.conversation(one.token)?.messages.length, 6)
  })

  it('U6 are refused when they make no sense', async (t) => {
    const { set, guest } = await guestScene(t)
    const one = await guest()
    const postback = {
      contentType: 'ButtonResponse',
      buttonResponse: { type: 'Postback', text: 'x', payload: 'x' },
    }

    for (const message of [
      undefined,
      { type: 'Text' },
      { type: 'Text', text: '' },
      { type: 'Dance', text: 'x' },
      { type: 'Structured', text: 'x', content: [postback] },
      { type: 'Event', events: [] },
      { type: 'Event', events: [{ eventType: 'Typing', typing: { type: 'Off' } }] },
    ]) {
      const { code, body } = await one.ask('onMessage', { message })
      assert.deepEqual([code, body as unknown], [400, 'Request failed.'], JSON.stringify(message))
    }
    set({ invalidMessageCode: 4014 })
    assert.equal((await one.say('')).code, 4014)
  })

  it('begin a conversation without a word by Presence Join', async (t) => {
    const { control, guest } = await guestScene(t, { agent: true })
    const one = await guest()

    const { body } = await one.presence('Join')

    assert.deepEqual([body.type, body.direction], ['Event', 'Inbound'])
    assert.deepEqual(body.events, [{ eventType: 'Presence', presence: { type: 'Join' } }])
    assert.equal(control.conversation(one.token)?.status, 'ROUTING')
    control.advanceClock(100)
    assert.equal((await one.heard()).length, 2)
  })
})

describe('messages of the other side', () => {
  it('say who wrote them and carry no conversation id', async (t) => {
    const { control, guest, set } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    control.join(one.token, { nickname: 'Ana', firstName: 'Ana', lastName: 'Ruiz' })

    control.say(one.token, { text: 'Hello, I am Ana.' })
    const { id, channel, metadata, ...rest } = (await one.next('StructuredMessage')).body
    assert.match(String(id), hex32)
    assert.deepEqual(rest, {
      type: 'Text',
      direction: 'Outbound',
      originatingEntity: 'Human',
      text: 'Hello, I am Ana.',
    })
    const { from, time: _time, ...place } = channel as Record<string, unknown>
    assert.deepEqual(from, { firstName: 'Ana', lastName: 'Ruiz', nickname: 'Ana' })
    assert.deepEqual(place, { type: 'Private' })
    assert.deepEqual(Object.keys(metadata as object), ['correlationId'])

    control.say(one.token, { author: 'bot', text: 'Beep.' })
    assert.equal((await one.next('StructuredMessage')).body.originatingEntity, 'Bot')
    set({ deployment: { humanize: false } })
    control.say(one.token, { text: 'Guess who' })
    const anonymous = await one.next('StructuredMessage')
    assert.deepEqual((anonymous.body.channel as Frame).from, {})
  })

  it('are typed first, where the deployment shows it', async (t) => {
    const { control, guest, set } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    control.type(one.token)

    const { body } = await one.next('StructuredMessage')
    assert.deepEqual(body.events, [
      { eventType: 'Typing', typing: { type: 'On', duration: 5_000 } },
    ])
    set({ deployment: { showAgentTypingIndicator: false } })
    control.type(one.token)
    assert.equal((await one.classes()).length, 3)
  })

  it('come from a flow in several frames, then from an agent who shows what is asked for', async (t) => {
    const { control, guest } = await guestScene(t, { agent: true, agentDelayMs: 100 })
    const one = await guest()

    for (const word of ['options', 'card', 'carousel', 'appointment', 'list', 'picture']) {
      await one.say(`Show me a ${word}, please`)
      control.advanceClock(3_000)
    }
    await one.say('Thank you')
    control.advanceClock(3_000)

    await one.socket.pong()
    const outbound = (one.socket.frames as Frame[])
      .map(({ body }) => body)
      .filter(({ direction, type }) => direction === 'Outbound' && type !== 'Event')
    assert.deepEqual(
      outbound.map(
        ({ content, type }) => (content as Frame[] | undefined)?.[0]?.contentType ?? type,
      ),
      [
        'Text',
        'Text',
        'QuickReply',
        'Card',
        'Carousel',
        'DatePicker',
        'ListPicker',
        'Attachment',
      ].concat(['Text']),
    )
    assert.equal(outbound.at(2)?.type, 'Structured')
    assert.equal(outbound.at(-2)?.type, 'Text')
    assert.equal(outbound.at(-1)?.originatingEntity, 'Human')
  })

  it('can be put out of order, doubled and lost on their way', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    control.faults.add({ kind: 'frame-shuffle', size: 3, contains: 'Outbound', count: 3 })

    for (const text of ['1', '2', '3']) control.say(one.token, { text })
    assert.deepEqual(await one.heard(), ['3', '2', '1'])
    control.faults.add({ kind: 'frame-duplicate', contains: 'Inbound', count: 1 })
    const echo = await one.say('twice')
    assert.equal((await one.next('StructuredMessage')).class, echo.class)
    control.faults.add({ kind: 'frame-drop', contains: 'Inbound', count: 1 })
    one.send('onMessage', { message: { type: 'Text', text: 'unacknowledged' } })
    await one.socket.pong()
    assert.equal(control.conversation(one.token)?.messages.at(-1)?.text, 'unacknowledged')
  })
})

describe('the end of a conversation', () => {
  it('makes the session read-only, also for those who come later', async (t) => {
    const { control, guest, connect } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    control.close(one.token)

    const { body } = await one.next('StructuredMessage')
    assert.deepEqual(body.events, [{ eventType: 'Presence', presence: { type: 'Disconnect' } }])
    assert.equal((body.metadata as Frame).readOnly, 'true')
    const refused = await one.say('wait')
    assert.deepEqual(
      [refused.code, refused.body as unknown],
      [409, 'Session is read-only, no new messages allowed'],
    )
    assert.equal((await one.presence('Join')).code, 409)
    assert.equal((await one.ask('onAttachment', { attachmentId: 'x' })).code, 409)
    assert.equal((await one.ask('getJwt')).code, 200)

    const later = await connect(one.token)
    const { connected, readOnly, newSession } = (await later.configure()).body
    assert.deepEqual([connected, readOnly, newSession], [true, true, false])
    assert.equal((await later.configure({ startNew: true })).body.readOnly, false)
    assert.equal((await later.say('anew')).code, 200)
  })

  it('lets the guest write on where disconnect is of type Send, in the same conversation', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ deployment: { conversationDisconnect: 'Send' } })
    const one = await guest()
    await one.say('hello')
    const id = control.conversation(one.token)?.id
    control.close(one.token)

    const { body } = await one.next('StructuredMessage')
    assert.equal((body.metadata as Frame).readOnly, undefined)
    assert.equal((await one.say('one more thing')).code, 200)
    assert.equal(control.conversation(one.token)?.id, id)
    assert.equal(control.conversation(one.token)?.status, 'ROUTING')
    control.advanceClock(10_000)
    control.say(one.token, { text: 'yes?' })
    assert.deepEqual(await one.heard(), ['yes?'])
  })

  it('U18 is not to be seen where disconnect is off, or as an event', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ deployment: { conversationDisconnect: 'off' } })
    const one = await guest()
    await one.say('hello')
    control.close(one.token)
    assert.equal((await one.classes()).length, 2)
    assert.equal((await one.say('hello again')).code, 200)

    set({ disconnectWhenOff: 'event' })
    control.close(one.token)
    const { body } = await one.next('StructuredMessage')
    assert.equal((body.metadata as Frame).readOnly, undefined)
  })

  it('is the guest’s with Clear: cleared, disconnected, and the token is free again', async (t) => {
    const { control, guest, connect } = await guestScene(t)
    const one = await guest()
    const other = await guest(one.token)
    await one.say('hello')
    const conversation = control.conversation(one.token)

    const { body } = await one.presence('Clear')
    assert.deepEqual(body.events, [{ eventType: 'Presence', presence: { type: 'Clear' } }])
    for (const each of [one, other]) {
      const classes = await each.classes()
      assert.deepEqual(classes.slice(-2), ['SessionClearedEvent', 'ConnectionClosedEvent'])
    }
    assert.equal(conversation?.status, 'CLOSED')
    control.advanceClock(5_000)
    assert.equal((await other.socket.closed).code, 1000)
    const again = await connect(one.token)
    assert.equal((await again.configure()).body.newSession, true)
  })

  it('cannot be the guest’s where Clear is off, nor by Disconnect, unless switched', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ deployment: { conversationClear: false } })
    const one = await guest()
    await one.say('hello')

    const { code, body } = await one.presence('Clear')
    assert.deepEqual(
      [code, body as unknown],
      [403, 'Presence events Conversation Clear are not supported'],
    )
    assert.equal((await one.presence('Disconnect')).code, 400)
    set({ guestDisconnect: 'ends' })
    one.send('onMessage', {
      message: {
        type: 'Event',
        events: [{ eventType: 'Presence', presence: { type: 'Disconnect' } }],
      },
    })
    await one.next('StructuredMessage')
    assert.equal(control.conversation(one.token)?.status, 'CLOSED')
  })
})
