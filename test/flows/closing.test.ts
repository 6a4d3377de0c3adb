import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textsAt, timesTried } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import {
  createSession,
  openSession,
  respondAsync,
  retry,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { until } from '../support/until.ts'

const operation = 'external-guests.sendMessage'

describe('closing a session', { concurrency: 4 }, () => {
  it('G11: fails the messages that still wait, at once, and tells who waits for them', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const accepted = await send(api, session, 'nobody waits', respondAsync)
    const waiting = ['a', 'b'].map((text) => send(api, session, text))
    await until('all are in line', async () => (await transcript(api, session)).length === 3)

    const closed = await api('DELETE', `/v1/sessions/${session.id}`)

    assert.equal(closed.status, 200)
    assert.equal(closed.body.state, 'closed')
    assert.ok(closed.body.closedAt)
    assert.ok(closed.body.closeReason)
    for (const { status, body } of await Promise.all(waiting)) {
      assert.deepEqual([status, body.code, body.retryable], [409, 'session-closed', false])
    }
    const message = await settled(api, session, accepted.body.id)
    assert.deepEqual([message.status, message.error.code], ['failed', 'session-closed'])
    simulator.control.freezeRouting(false)
    assert.deepEqual(textsAt(simulator), [])
    assert.equal((await api('GET', `/v1/sessions/${session.id}`)).body.messages.failed, 3)
  })

  it('G11: answers the same when it is closed again, also at the same time', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    const answers = await Promise.all(
      [1, 2, 3].map(() => api('DELETE', `/v1/sessions/${session.id}`)),
    )
    answers.push(await api('DELETE', `/v1/sessions/${session.id}`))
    for (const answer of answers) assert.deepEqual(answer.body, answers[0]?.body)
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
  })

  it('takes no message and no retry afterwards, and still shows everything', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'Hello')
    simulator.control.faults.add({ kind: 'reset', count: 1, operation })
    const lost = await send(api, session, 'Lost')
    await api('DELETE', `/v1/sessions/${session.id}`)

    for (const answer of [
      await send(api, session, 'Late'),
      await send(api, session, 'Late', respondAsync),
      await retry(api, session, lost.body.id),
    ]) {
      assert.deepEqual([answer.status, answer.body.code], [409, 'session-closed'])
      assert.equal(answer.body.retryable, false)
    }
    const messages = await transcript(api, session)
    assert.deepEqual(
      messages.map(({ text, status }) => [text, status]),
      [
        ['Hello', 'sent'],
        ['Lost', 'unconfirmed'],
      ],
    )
    assert.deepEqual(textsAt(simulator), ['Hello'])
  })

  it('lets what has left come back, and sends nothing after it', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 300, when: 'after', count: 1, operation })
    const left = send(api, session, 'left')
    await until('it has left', () => timesTried(simulator, 'left') === 1)
    const next = await send(api, session, 'next', respondAsync)

    await api('DELETE', `/v1/sessions/${session.id}`)

    assert.equal((await left).body.status, 'sent')
    assert.equal((await settled(api, session, next.body.id)).error.code, 'session-closed')
    assert.deepEqual(textsAt(simulator), ['left'])
  })

  it('calls off a message between two attempts', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    simulator.control.faults.add({
      kind: 'status',
      status: 503,
      retryAfter: 2,
      count: 1,
      operation,
    })
    const accepted = await send(api, session, 'Hello', respondAsync)
    await until('the first attempt was refused', async () => {
      const { body } = await api('GET', `/v1/sessions/${session.id}/messages/${accepted.body.id}`)
      return body.attempts === 1 && body.status === 'accepted'
    })

    await api('DELETE', `/v1/sessions/${session.id}`)

    const message = await settled(api, session, accepted.body.id)
    assert.deepEqual([message.status, message.error.code], ['failed', 'session-closed'])
    assert.deepEqual([timesTried(simulator, 'Hello'), textsAt(simulator)], [1, []])
  })

  it('calls off a message that waits for the platform’s quota', async (t) => {
    const environment = { GENESYS_RATE_LIMIT: '5/2s' }
    const { api, simulator } = await startTestGateway(t, { environment })
    const session = await openSession(api)
    const accepted = []
    for (let at = 0; at < 6; at++) {
      accepted.push(await send(api, session, `message ${at}`, respondAsync))
    }
    await until('the quota is used up', async () => {
      const [quota] = (await api('GET', '/v1/stats')).body.quota
      return quota.queued > 0
    })

    await api('DELETE', `/v1/sessions/${session.id}`)

    const last = await settled(api, session, accepted.at(-1)?.body.id)
    assert.equal(last.error.code, 'session-closed')
    const sent = (await transcript(api, session)).filter(({ status }) => status === 'sent')
    assert.deepEqual(
      textsAt(simulator),
      sent.map(({ text }) => text),
    )
  })
})
