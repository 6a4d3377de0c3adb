import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textsAt, timesTaken } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import {
  createSession,
  openSession,
  respondAsync,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { until } from '../support/until.ts'

const operation = 'external-guests.sendMessage'

describe('Prefer: wait=N', { concurrency: 4 }, () => {
  it('answers 202 when it runs out, and the message leaves later', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'latency', latencyMs: 1500, count: 1, operation })
    const askedAt = performance.now()

    const answer = await send(api, session, 'Hello', { prefer: 'wait=1' })

    assert.ok(performance.now() - askedAt >= 1000)
    assert.equal(answer.status, 202)
    assert.equal(answer.headers.get('preference-applied'), 'respond-async')
    assert.equal(answer.body.status, 'sending')
    const message = await settled(api, session, answer.body.id)
    assert.equal(message.status, 'sent')
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })

  it('holds a message for a guest longer than its caller waits', async (t) => {
    // Without the preference the message would fail at the activation timeout.
    const environment = { GENESYS_TIMEOUT_MS: '500', GENESYS_ACTIVATION_TIMEOUT_MS: '1500' }
    const { api, simulator } = await startTestGateway(t, { environment })
    simulator.control.freezeRouting(true)
    const session = await createSession(api)

    const patient = await send(api, session, 'patient', { prefer: 'wait=1' })
    const strict = await send(api, session, 'strict')

    assert.deepEqual([patient.status, patient.body.status], [202, 'accepted'])
    assert.deepEqual([strict.status, strict.body.code], [409, 'session-not-active'])
    simulator.control.freezeRouting(false)
    assert.equal((await settled(api, session, patient.body.id)).status, 'sent')
    assert.deepEqual(textsAt(simulator), ['patient'])
  })

  it('answers 201 as soon as the message is sent', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    const answer = await send(api, session, 'Hello', { prefer: 'respond-async, wait=20' })
    assert.deepEqual([answer.status, answer.body.status], [201, 'sent'])
    assert.equal(answer.headers.get('preference-applied'), null)
  })

  it('keeps the 202 for repeats of its Idempotency-Key', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'latency', latencyMs: 1500, count: 1, operation })
    const headers = { prefer: 'wait=1', 'idempotency-key': 'patient-1' }

    const first = await send(api, session, 'Hello', headers)
    const message = await settled(api, session, first.body.id)
    const repeat = await send(api, session, 'Hello', headers)

    assert.equal(message.status, 'sent')
    assert.equal(repeat.status, 202)
    assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(repeat.body, first.body)
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })
})

describe('Idempotency-Key', { concurrency: 4 }, () => {
  it('sends once however often it is asked, at the same time and after', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'latency', latencyMs: 200, count: 1, operation })
    const headers = { 'idempotency-key': 'once' }

    const asked = [1, 2, 3].map(() => send(api, session, 'Hello', headers))
    const [first, ...others] = (await Promise.all(asked)).sort((a, b) => a.status - b.status)
    const repeat = await send(api, session, 'Hello', headers)

    assert.equal(first?.status, 201)
    for (const { status, body, headers } of others) {
      assert.deepEqual([status, body.code], [409, 'idempotency-key-in-progress'])
      assert.equal(body.retryable, true)
      assert.ok(headers.get('retry-after'))
    }
    assert.deepEqual([repeat.status, repeat.body], [201, first?.body])
    assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
    assert.equal(repeat.headers.get('location'), first?.headers.get('location'))
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })

  it('refuses another body, another path and another caller gets its own', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const other = await openSession(api)
    const headers = { 'idempotency-key': 'mine' }
    await send(api, session, 'Hello', headers)

    for (const answer of [
      await send(api, session, 'Other', headers),
      await send(api, other, 'Hello', headers),
    ]) {
      assert.deepEqual([answer.status, answer.body.code], [422, 'idempotency-key-reused'])
    }
    const asApp = { ...headers, authorization: 'Bearer test-app-key' }
    assert.equal((await send(api, session, 'From the app', asApp)).status, 201)
    assert.deepEqual(textsAt(simulator), ['Hello', 'From the app'])
  })

  it('is free again after a failure that may pass, and keeps a refusal that will not', async (t) => {
    const environment = { GENESYS_TIMEOUT_MS: '200', GENESYS_ACTIVATION_TIMEOUT_MS: '600' }
    const { api, simulator } = await startTestGateway(t, { environment })
    const session = await openSession(api)
    const { faults } = simulator.control

    faults.add({ kind: 'status', status: 503, operation })
    const failed = await send(api, session, 'Later', { 'idempotency-key': 'may-pass' })
    faults.remove()
    const again = await send(api, session, 'Later', { 'idempotency-key': 'may-pass' })
    assert.deepEqual([failed.status, again.status], [502, 201])

    faults.add({ kind: 'status', status: 400, count: 1, operation })
    const refused = await send(api, session, 'Never', { 'idempotency-key': 'final' })
    const repeat = await send(api, session, 'Never', { 'idempotency-key': 'final' })
    assert.deepEqual([refused.status, repeat.status], [422, 422])
    assert.deepEqual(repeat.body, refused.body)
    assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(textsAt(simulator), ['Later'])
  })

  it('makes one guest, however often it is asked', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const headers = { 'idempotency-key': 'guest-1' }
    const body = { guest: { name: 'Ada' } }

    const first = await api('POST', '/v1/sessions', body, headers)
    const repeat = await api('POST', '/v1/sessions', body, headers)

    assert.deepEqual([first.status, repeat.status], [201, 201])
    assert.deepEqual(repeat.body, first.body)
    assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
    assert.equal(simulator.control.received.list('external-guests.createGuest').length, 1)
  })
})

describe('many messages at once', { concurrency: 4 }, () => {
  it('M4, M6: keeps the order of a batch within each session and answers every line', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const sessions = [await openSession(api), await openSession(api)]
    const lines = Array.from({ length: 20 }, (_, at) => ({
      sessionId: sessions[at % 2]?.id,
      text: `line ${at}`,
    }))
    const body = [...lines, { sessionId: 'gs_missing', text: 'nowhere' }]
      .map((line) => JSON.stringify(line))
      .join('\n')

    const answer = await api('POST', '/v1/messages/batch', body, {
      'content-type': 'application/x-ndjson',
    })

    const results = String(answer.body)
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.equal(results.length, 21)
    const last = results.find(({ line }) => line === 21)
    assert.deepEqual([last.status, last.problem.code], [404, 'session-not-found'])
    assert.ok(results.every(({ line, status }) => line === 21 || status === 201))
    for (const [at, session] of sessions.entries()) {
      const mine = lines.filter((_, line) => line % 2 === at).map(({ text }) => text)
      assert.deepEqual(textsAt(simulator, session.conversationId), mine)
    }
  })

  it('M4: sends in the order of the transcript however they come in', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 30, probability: 0.4, operation })
    faults.add({ kind: 'status', status: 409, probability: 0.1, operation })
    const texts = Array.from({ length: 20 }, (_, at) => `message ${at}`)

    await Promise.all(
      texts.map((text, at) => send(api, session, text, at % 3 === 0 ? {} : respondAsync)),
    )

    const messages = await until('all are sent', async () => {
      const items = await transcript(api, session)
      return items.every(({ status }) => status === 'sent') && items
    })
    assert.equal(messages.length, 20)
    assert.deepEqual(
      textsAt(simulator),
      messages.map(({ text }) => text),
    )
  })
})
