import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textsAt, timesTried } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import {
  createSession,
  messageOf,
  openSession,
  respondAsync,
  retry,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { until } from '../support/until.ts'

const hurried = { GENESYS_TIMEOUT_MS: '200', GENESYS_ACTIVATION_TIMEOUT_MS: '600' }

describe('a guest that is still being routed', { concurrency: 4 }, () => {
  it('G2: fails who waits at the deadline, and tells when to come back', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment: hurried })
    simulator.control.freezeRouting(true)
    const session = await createSession(api)

    const answers = await Promise.all(['a', 'b'].map((text) => send(api, session, text)))

    for (const { status, body, headers } of answers) {
      assert.equal(status, 409)
      assert.equal(body.code, 'session-not-active')
      assert.equal(body.retryable, true)
      assert.equal(headers.get('retry-after'), String(body.retryAfterSeconds))
    }
    const messages = await transcript(api, session)
    assert.deepEqual(
      messages.map(({ status, attempts, error }) => [status, attempts, error.retryable]),
      Array(2).fill(['failed', 0, true]),
    )
    assert.equal((await api('GET', `/v1/sessions/${session.id}`)).body.messages.failed, 2)

    // They do not leave by themselves when routing goes on.
    simulator.control.freezeRouting(false)
    assert.equal((await send(api, session, 'c')).body.status, 'sent')
    assert.deepEqual(textsAt(simulator), ['c'])
    const { id } = await messageOf(api, session, 'a')
    assert.equal((await retry(api, session, id)).body.status, 'sent')
    assert.deepEqual(textsAt(simulator), ['c', 'a'])
  })

  it('G2: keeps what nobody waits for, and sends it in order when routing goes on', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment: hurried })
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const texts = ['one', 'two', 'three', 'four']
    for (const text of texts) {
      assert.equal((await send(api, session, text, respondAsync)).status, 202)
    }
    // One that waits gives up in between, and is not missed.
    const gaveUp = await send(api, session, 'gone')
    assert.equal(gaveUp.body.code, 'session-not-active')
    const waiting = await transcript(api, session)
    assert.deepEqual(
      waiting.map(({ status }) => status),
      [...texts.map(() => 'accepted'), 'failed'],
    )
    assert.deepEqual(textsAt(simulator), [])

    simulator.control.freezeRouting(false)

    await until('all have left', async () => {
      const messages = await transcript(api, session)
      return messages.slice(0, texts.length).every(({ status }) => status === 'sent')
    })
    assert.deepEqual(textsAt(simulator), texts)
    assert.equal((await api('GET', `/v1/sessions/${session.id}`)).body.state, 'active')
  })

  it('G2: lets the first message of a guest without a queue start its routing', async (t) => {
    const { api, simulator } = await startTestGateway(t, {
      simulator: { activationMs: 100 },
      environment: { GENESYS_TARGET_QUEUE_ID: '' },
    })
    const session = await createSession(api)

    const answer = await send(api, session, 'Hello')

    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    assert.equal(answer.body.status, 'sent')
    assert.ok(answer.body.attempts >= 2)
    assert.equal(timesTried(simulator, 'Hello'), answer.body.attempts)
    assert.deepEqual(textsAt(simulator), ['Hello'])
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.equal(body.state, 'active')
    assert.ok(body.latencyMs.activate >= 100)
  })

  it('G2: becomes active without any message, and tells who waits for that', async (t) => {
    const { api } = await startTestGateway(t, { simulator: { activationMs: 300 } })
    const session = await createSession(api)

    const [early, late] = await Promise.all([
      api('GET', `/v1/sessions/${session.id}?wait=active&timeoutMs=1`),
      api('GET', `/v1/sessions/${session.id}?wait=active&timeoutMs=10000`),
    ])

    assert.equal(early.body.state, 'pending')
    assert.equal(late.body.state, 'active')
    assert.ok(late.body.activatedAt)
  })

  it('G2, G11: learns of a burst of guests with what the quota leaves', async (t) => {
    const { api, simulator, logs } = await startTestGateway(t, {
      simulator: { activationMs: 1000 },
      environment: { GENESYS_RATE_LIMIT: '100/60s' },
    })
    const sessions = await Promise.all(Array.from({ length: 20 }, () => createSession(api)))
    const pending = async () => {
      const { body } = await api('GET', '/v1/stats')
      return body.sessions.pending
    }
    await until('all are active', async () => (await pending()) === 0)

    const [first] = sessions
    assert.ok(first)
    assert.equal((await send(api, first, 'Hello')).body.status, 'sent')
    const asked = simulator.control.received
      .list()
      .filter(({ operation }) => operation === 'external-guests.getGuest')
    assert.ok(asked.length <= 1.5 * sessions.length, `asked ${asked.length} times`)
    assert.doesNotMatch(logs.join(), /could not be asked/)
  })

  it('G2: waits on while the platform cannot be asked', async (t) => {
    const { api, simulator } = await startTestGateway(t, { simulator: { activationMs: 100 } })
    const { faults } = simulator.control
    const operation = 'external-guests.getGuest'
    const fault = faults.add({ kind: 'status', status: 404, operation })
    const session = await createSession(api)
    await until('it asked', () => faults.list().some(({ hits }) => hits > 0))

    // Where nobody can say, the message itself is tried.
    const answer = await send(api, session, 'Hello')

    assert.equal(answer.body.status, 'sent', JSON.stringify(answer.body))
    assert.deepEqual(textsAt(simulator), ['Hello'])
    faults.remove(fault.id)
  })
})

describe('the conversation of a session', { concurrency: 4 }, () => {
  it('G3: refuses a message meant for another one, with nothing stored or sent', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const route = `/v1/sessions/${session.id}/messages`
    const before = simulator.control.received.list().length

    const answer = await api('POST', route, { text: 'Hello', conversationId: 'another' })

    assert.equal(answer.status, 409)
    assert.equal(answer.body.code, 'conversation-mismatch')
    assert.equal(answer.body.retryable, false)
    assert.deepEqual(await transcript(api, session), [])
    assert.equal(simulator.control.received.list().length, before)

    const { conversationId } = session
    const right = await api('POST', route, { text: 'Hello', conversationId })
    assert.equal(right.body.status, 'sent')
  })

  it('ends here when a message finds that the platform has ended it', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'Hello')
    simulator.control.close(session.conversationId)

    const first = await send(api, session, 'Is anybody there?', respondAsync)
    const second = await send(api, session, 'Hello?')

    assert.equal(first.status, 202)
    assert.equal(second.status, 409)
    assert.equal(second.body.code, 'session-closed')
    const message = await settled(api, session, first.body.id)
    assert.deepEqual([message.status, message.error.code], ['failed', 'session-closed'])
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.equal(body.state, 'closed')
    assert.match(body.closeReason, /CLOSED/)
    assert.deepEqual(textsAt(simulator), ['Hello'])
  })

  it('ends here when the platform ends it before it was ever active', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const waiting = send(api, session, 'Hello')
    await until('the message is in line', async () => (await transcript(api, session)).length > 0)

    simulator.control.close(session.conversationId)

    const answer = await waiting
    assert.deepEqual([answer.status, answer.body.code], [409, 'session-closed'])
    assert.equal((await api('GET', `/v1/sessions/${session.id}`)).body.state, 'closed')
  })
})
