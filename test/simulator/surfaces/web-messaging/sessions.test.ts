import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deploymentId, guestScene } from './guest.ts'

describe('configureSession', () => {
  it('answers with everything a SessionResponse has', async (t) => {
    const { connect } = await guestScene(t)
    const guest = await connect()

    const { type, class: name, code, tracingId, body } = await guest.configure()

    assert.deepEqual([type, name, code], ['response', 'SessionResponse', 200])
    assert(tracingId)
    const { expirationDate, allowedMedia, blockedExtensions, ...rest } = body
    assert.deepEqual(rest, {
      connected: true,
      newSession: true,
      readOnly: false,
      clearedExistingSession: false,
      maxCustomDataBytes: 2048,
      durationSeconds: 259_200,
    })
    const expected = Date.now() / 1_000 + 259_200
    assert(Math.abs(Number(expirationDate) - expected) < 30)
    assert.deepEqual(allowedMedia, {
      inbound: { fileTypes: [{ type: '*/*' }], maxFileSizeKB: 10_240 },
    })
    assert(Array.isArray(blockedExtensions))
  })

  it('answers with two fields, as in older captures, where that is switched on', async (t) => {
    const { set, connect } = await guestScene(t)
    set({ sessionResponse: 'minimal' })

    const { body } = await (await connect()).configure()

    assert.deepEqual(body, { connected: true, newSession: true })
  })

  it('finds the session of a known token, and starts no conversation by itself', async (t) => {
    const { control, guest, connect } = await guestScene(t)
    const first = await guest()
    assert.equal(control.conversation(first.token), undefined)
    first.socket.raw.close()

    const again = await connect(first.token)
    assert.equal((await again.configure()).body.newSession, false)
  })

  it('lets the token be in any case and of any form, up to 2048 characters', async (t) => {
    const { connect } = await guestScene(t)

    assert.equal((await (await connect('Not A UUID')).configure()).body.newSession, true)
    assert.equal((await (await connect('not a uuid')).configure()).body.newSession, true)
    assert.equal((await (await connect('x'.repeat(2_048))).configure()).code, 200)
    assert.equal((await (await connect('x'.repeat(2_049))).configure()).code, 400)
  })

  it('U4 refuses a token with another deployment than its own', async (t) => {
    const { set, guest } = await guestScene(t)
    const one = await guest()
    const other = { deploymentId: '99999999-2222-4333-8444-555555555555' }

    assert.equal((await one.ask('configureSession', other)).code, 403)
    set({ wrongDeploymentCode: 400 })
    assert.equal((await one.ask('configureSession', other)).code, 400)
  })

  it('answers a request without what it needs with 400, or 4020', async (t) => {
    const { set, guest } = await guestScene(t)
    const one = await guest()

    assert.equal((await one.ask('configureSession')).code, 400)
    set({ missingParameterCode: 4020 })
    assert.equal((await one.ask('configureSession')).code, 4020)
    assert.equal((await one.ask('closeSession')).code, 4020)
    assert.equal((await one.ask('onMessage', { token: undefined })).code, 4020)
    assert.equal((await one.ask('getConfiguration')).code, 4020)
  })

  it('starts anew with startNew: another conversation, an empty history', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()
    await one.say('before')
    const before = control.conversation(one.token)

    const { body } = await one.configure({ startNew: true })
    await one.say('after')

    assert.equal(body.newSession, true)
    assert.equal(before?.status, 'CLOSED')
    assert.notEqual(control.conversation(one.token), before)
    assert.deepEqual(await one.classes(), [
      'SessionResponse',
      'StructuredMessage',
      'SessionResponse',
      'StructuredMessage',
    ])
  })

  it('displaces the oldest of more than three connections', async (t) => {
    const { control, guest } = await guestScene(t)
    const first = await guest()
    const others = [await guest(first.token), await guest(first.token)]
    const newest = await guest(first.token)

    assert.deepEqual((await first.next('ConnectionClosedEvent')).body, {})
    assert.equal((await first.say('am I here?')).code, 4007)
    await newest.say('hello')
    for (const other of others) assert.equal((await other.next('StructuredMessage')).code, 200)
    control.advanceClock(5_000)
    assert.equal((await first.socket.closed).code, 1000)
  })

  it('U14 leaves a displaced connection to the client where that is switched on', async (t) => {
    const { control, set, guest } = await guestScene(t)
    set({ closesAfterSeconds: 'never' })
    const one = await guest()

    control.displace(one.token)
    await one.next('ConnectionClosedEvent')
    control.advanceClock(60_000)
    await one.socket.pong()
  })

  it('getConfiguration needs no session', async (t) => {
    const { connect } = await guestScene(t)

    const { class: name, body } = await (await connect()).ask('getConfiguration', { deploymentId })

    assert.equal(name, 'GetConfigurationResponse')
    assert.equal(body.sessionDurationSeconds, 259_200)
  })
})

describe('closeSession', () => {
  it('closes the others, leaves the caller read-only, and startNew goes on from there', async (t) => {
    const { guest } = await guestScene(t)
    const one = await guest()
    const other = await guest(one.token)
    await one.say('hello')

    const { body } = await one.ask('closeSession', { closeAllConnections: true })
    assert.deepEqual([body.connected, body.readOnly], [false, true])
    await other.next('ConnectionClosedEvent')
    assert.equal((await one.configure()).body.readOnly, true)
    assert.equal((await one.say('no more')).code, 409)
    const fresh = await one.configure({ startNew: true })
    assert.deepEqual([fresh.body.newSession, fresh.body.readOnly], [true, false])
    assert.equal((await one.say('again')).code, 200)
  })

  it('U15 leaves the others alone when told to close one, or closes them as switched', async (t) => {
    const { set, guest } = await guestScene(t)
    const one = await guest()
    const other = await guest(one.token)
    await one.ask('closeSession', { closeAllConnections: false })
    assert.deepEqual(await other.classes(), ['SessionResponse'])

    set({ closeOneConnection: 'others-close' })
    await one.configure()
    await one.ask('closeSession', { closeAllConnections: false })
    await other.next('ConnectionClosedEvent')
  })
})

describe('the life of a session', () => {
  it('is moved on by every message of the guest, and ends in SessionExpiredEvent', async (t) => {
    const { control, set, guest, connect } = await guestScene(t)
    set({ deployment: { sessionDurationSeconds: 900 } })
    const one = await guest()

    control.advanceClock(800_000)
    await one.say('still here')
    control.advanceClock(800_000)
    assert.deepEqual(await one.classes(), ['SessionResponse', 'StructuredMessage'])
    control.advanceClock(100_000)

    const { type } = await one.next('SessionExpiredEvent')
    assert.equal(type, 'response')
    assert.equal((await one.say('too late')).code, 4006)
    assert.equal(control.conversation(one.token)?.status, 'CLOSED')
    const again = await connect(one.token)
    assert.equal((await again.configure()).body.newSession, true)
  })

  it('lasts as long as it is told, even longer than a timer can', async (t) => {
    const { set, guest } = await guestScene(t)
    set({ deployment: { sessionDurationSeconds: 86_400 * 500 } })

    const one = await guest()

    assert.equal((await one.say('hello')).code, 200)
    assert.deepEqual(await one.classes(), ['SessionResponse', 'StructuredMessage'])
  })

  it('ends when the control says so', async (t) => {
    const { control, guest } = await guestScene(t)
    const one = await guest()

    control.expire(one.token)

    await one.next('SessionExpiredEvent')
    assert.equal((await one.ask('getJwt')).code, 4006)
    assert.throws(() => control.expire('nobody'), /nobody/)
  })

  it('is lost without a word when the control says so, and begins anew with the same token', async (t) => {
    const { simulator, control, guest, connect } = await guestScene(t)
    const one = await guest()
    await one.say('hello')

    const forgotten = await fetch(
      `${simulator.url}/__simulator/conversations/${one.token}/forget`,
      { method: 'POST' },
    )

    assert.equal(forgotten.status, 200)
    assert.deepEqual(await one.classes(), ['SessionResponse', 'StructuredMessage'])
    assert.equal((await one.say('still there?')).code, 4007)
    const again = await connect(one.token)
    assert.equal((await again.configure()).body.newSession, true)
    assert.throws(() => control.forget('nobody'), /nobody/)
  })

  it('is not the socket’s: what was said while it was closed is in history only', async (t) => {
    const { simulator, control, guest } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    one.socket.raw.close()
    await control.sockets.settled(0)

    control.say(one.token, { text: 'are you there?' })
    const again = await guest(one.token)
    assert.deepEqual(await again.heard(), [])
    const { body } = await again.ask('getJwt')
    const response = await fetch(`${simulator.url}/api/v2/webmessaging/messages`, {
      headers: { authorization: `Bearer ${body.jwt}` },
    })
    const { entities } = (await response.json()) as { entities: { text: string }[] }
    assert.equal(entities[0]?.text, 'are you there?')
  })
})
