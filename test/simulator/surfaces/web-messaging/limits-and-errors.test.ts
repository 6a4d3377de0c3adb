import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { guestScene } from './guest.ts'

describe('limits of web messaging', () => {
  it('refuse more than five messages a second with TooManyRequests', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ limits: { messagesPerSession: { limit: 5, windowMs: 1_000 } } })
    const one = await guest()
    const other = await guest(one.token)
    for (let sent = 0; sent < 5; sent += 1) await one.say('hello')

    const { type, class: name, code, body } = await other.say('one too many')

    assert.deepEqual([type, name, code], ['response', 'TooManyRequestsErrorMessage', 429])
    assert.deepEqual(body, {
      retryAfter: 1,
      errorCode: 4029,
      errorMessage: 'Message rate too high for this session',
      name: 'TooManyRequestsErrorMessage',
      message: 'Message rate too high for this session',
    })
    assert.equal(control.conversation(one.token)?.messages.length, 5)
    control.advanceClock(1_000)
    assert.equal((await other.say('now')).code, 200)
  })

  it('are those that are published, unless told otherwise', async (t) => {
    const { control, guest } = await guestScene(t, {
      webMessaging: { limits: { messagesPerSession: 'off' } },
    })
    const one = await guest()

    assert.equal((await one.ask('echo', { message: { type: 'Text', text: 'ping' } })).code, 200)
    assert.equal((await one.ask('echo', { message: { type: 'Text', text: 'ping' } })).code, 200)
    assert.equal((await one.ask('echo', { message: { type: 'Text', text: 'ping' } })).code, 429)
    one.typing()
    const second = one.typing()
    const refused = await one.socket.next(({ tracingId }) => tracingId === second)
    assert.equal(refused.code, 429)
    for (let sent = 6; sent < 60; sent += 1) assert.equal((await one.say('hello')).code, 200)
    assert.equal((await one.say('the 61st request of this minute')).code, 429)
    const other = await guest(one.token)
    assert.equal((await other.say('another connection')).code, 200)
    control.advanceClock(60_000)
    assert.equal((await one.say('another minute')).code, 200)
  })

  it('hold for configuring too, and by token', async (t) => {
    const { guest, set } = await guestScene(t)
    set({ limits: { configuresPerSession: { limit: 2, windowMs: 60_000 } } })
    const one = await guest()
    await one.configure()
    await one.configure({ startNew: true })

    assert.equal((await one.configure({ startNew: true })).code, 429)
    assert.equal((await (await guest()).configure()).code, 200)
  })

  it('lie about retryAfter where that is switched on', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ limits: { messagesPerSession: { limit: 1, windowMs: 60_000 } } })
    control.configure({ retryAfterLieMs: -58_500 })
    const one = await guest()
    await one.say('one')

    assert.equal((await one.say('two')).body.retryAfter, 2)
  })

  it('close the connection after so many violations where that is switched on', async (t) => {
    const { guest, set } = await guestScene(t)
    set({
      limits: { messagesPerSession: { limit: 1, windowMs: 60_000 } },
      violationsBeforeClose: 2,
    })
    const one = await guest()
    await one.say('one')
    await one.say('two')
    await one.say('three')

    assert.equal((await one.socket.closed).code, 1008)
  })

  it('count text and attributes in bytes', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()

    assert.equal((await one.say('é'.repeat(2_048))).code, 200)
    const tooLong = await one.say('a'.repeat(5_000))
    assert.deepEqual(
      [tooLong.code, tooLong.class, tooLong.body as unknown],
      [4011, 'string', 'Message length 5000 is larger than 4096'],
    )
    const attributes = (value: string) => ({
      channel: { metadata: { customAttributes: { k: value } } },
    })
    assert.equal((await one.say('x', attributes('é'.repeat(1_023)))).code, 200)
    const tooMuch = await one.say('x', attributes('é'.repeat(1_024)))
    assert.deepEqual(
      [tooMuch.code, tooMuch.body as unknown],
      [4013, 'Custom Attributes in channel metadata is larger than 2048 bytes'],
    )
    set({ limits: { textBytes: 'off', customAttributesBytes: 'off' } })
    assert.equal((await one.say('a'.repeat(5_000), attributes('é'.repeat(1_024)))).code, 200)
  })
})

describe('errors of web messaging', () => {
  it('answer what is not JSON, no known action, or for another token', async (t) => {
    const { guest } = await guestScene(t)
    const one = await guest()

    one.socket.send('{"action":')
    assert.equal((await one.next('string')).code, 400)
    assert.equal((await one.ask('constructor')).code, 400)
    assert.equal((await one.ask('onMessage', { token: 'another' })).code, 4007)
  })

  it('U20 answer the actions nobody uses, or ignore them', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()

    assert.equal((await one.ask('disconnectCustomer')).code, 400)
    set({ unusedActions: 'ignored' })
    one.send('resumeToken')
    assert.deepEqual(await one.classes(), ['SessionResponse', 'string'])
  })

  it('U7 carry the tracingId, or not', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()
    assert((await one.say('')).tracingId)

    set({ tracingIdOnErrors: false })
    one.send('onMessage')
    const bare = await one.next('string')
    assert.equal('tracingId' in bare, false)
  })

  it('U17 come as objects of the classes Error and ErrorMessage where that is switched on', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()

    for (const errorClass of ['Error', 'ErrorMessage'] as const) {
      set({ errorClass })
      const { class: name, body } = await one.say('')
      assert.equal(name, errorClass)
      assert.equal(body.errorCode, 400)
    }
  })

  it('of any other code come by order', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const order = (code: number) =>
      control.faults.add({ kind: 'frame-refuse', code, contains: 'onMessage', count: 1 })

    order(5000)
    const unexpected = await one.say('hello')
    assert.deepEqual([unexpected.class, unexpected.code], ['string', 5000])
    order(429)
    assert.equal((await one.say('hello')).body.retryAfter, 1)
    assert.equal(control.conversation(one.token), undefined)
  })

  it('refuse typing where the deployment does not show it', async (t) => {
    const { guest, set } = await guestScene(t)
    const one = await guest()
    one.typing()
    assert.deepEqual(await one.classes(), ['SessionResponse'])

    set({ deployment: { showUserTypingIndicator: false } })
    one.typing()
    const { code, body } = await one.next('string')
    assert.deepEqual(
      [code, body as unknown],
      [403, 'Turn on the Feature Toggle or fix the configuration.'],
    )
  })

  it('do not stand in the way of an unknown class, sent by order', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    const frame = { type: 'message', class: 'Unknown', code: 200, body: {} }

    control.sockets.push({ operation: 'web-messaging', frame })

    assert.deepEqual(await one.next('Unknown'), frame)
  })

  it('echo answers the text itself, as a response, with the session’s time as strings', async (t) => {
    const { guest } = await guestScene(t)
    const one = await guest()

    const {
      type,
      class: name,
      body,
    } = await one.ask('echo', {
      message: { type: 'Text', text: 'ping' },
    })

    assert.deepEqual([type, name, body.text], ['response', 'StructuredMessage', 'ping'])
    const { durationSeconds, expirationDate } = body.metadata as Record<string, string>
    assert.equal(durationSeconds, '259200')
    assert.match(String(expirationDate), /^\d{10}$/)
    assert.equal((await one.ask('echo')).code, 400)
  })
})
