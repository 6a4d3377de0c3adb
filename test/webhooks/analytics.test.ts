import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { createSession, openSession, send, settled } from '../support/sessions.ts'
import { until } from '../support/until.ts'
import { addWebhook, allowPrivate } from './support/destination.ts'
import { startReceiver } from './support/receiver.ts'

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|\+00:00)$/

describe('The analytics format', () => {
  it('E2 says that a session started as document 002 does, field for field', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url, { format: 'analytics' })
    const session = await createSession(api, {
      dialect: 'conversations',
      guest: { id: 'guest-88421-uuid', name: 'Ada' },
    })
    const [taken] = await receiver.took(1)
    assert.ok(taken)
    const { timestamp, latency_ms, ...rest } = taken.body
    assert.equal(taken.headers['content-type'], 'application/json; charset=utf-8')
    assert.deepEqual(rest, {
      event: 'session_started',
      conversation_id: session.conversationId,
      visitor_id: 'guest-88421-uuid',
    })
    assert.match(timestamp, instant)
    assert.equal(typeof latency_ms, 'number')
  })

  it('E2 tells of a transmission as document 004 does, field for field', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url, { format: 'analytics' })
    const session = await openSession(api)
    const sent = (await send(api, session, 'hello')).body
    const [, taken] = await receiver.took(2)
    assert.ok(taken)
    const { timestamp, ...rest } = taken.body
    assert.deepEqual(rest, {
      event_type: 'message_transmission',
      guest_id: session.guestId,
      conversation_id: session.conversationId,
      status: 'success',
      latency_ms: sent.latencyMs,
      error: null,
    })
    assert.match(timestamp, instant)
  })

  it('E2 tells failures and what nobody knows, and nothing of other events', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url, { format: 'analytics' })
    const session = await openSession(api)
    const { control } = simulator
    const operation = 'external-guests.sendMessage'
    control.faults.add({ kind: 'status', status: 422, operation, count: 1 })
    await send(api, session, 'refused')
    control.faults.add({ kind: 'reset', when: 'after', operation, count: 1 })
    const lost = await send(api, session, 'lost')
    await settled(api, session, lost.body.id)
    control.say(session.conversationId, { text: 'an answer' })
    await api('DELETE', `/v1/sessions/${session.id}`)
    await createSession(api)

    await until(
      'the second session',
      () => receiver.taken.filter(({ body }) => body.event).length === 2,
    )
    const [started, failed, unconfirmed, ...rest] = receiver.taken.map(({ body }) => body)
    assert.equal(started.event, 'session_started')
    assert.equal(failed.status, 'failed')
    assert.match(failed.error, /422/)
    assert.equal(typeof failed.latency_ms, 'number')
    assert.equal(unconfirmed.status, 'unconfirmed')
    assert.equal(typeof unconfirmed.error, 'string')
    assert.deepEqual(
      rest.map(({ event }) => event),
      ['session_started'],
    )
  })
})
