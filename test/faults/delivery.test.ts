import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { FaultRequest } from '../../src/simulator/fault-rules.ts'
import { textsAt, timesTaken, timesTried } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import {
  messageOf,
  openSession,
  respondAsync,
  retry,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { until } from '../support/until.ts'

const operation = 'external-guests.sendMessage'

/** Small enough that a hang is over soon; the simulator answers in a few milliseconds. */
const hurried = { GENESYS_TIMEOUT_MS: '300', GENESYS_ACTIVATION_TIMEOUT_MS: '900' }

async function start(t: TestContext, environment: Record<string, string> = {}) {
  const gateway = await startTestGateway(t, { environment: { ...hurried, ...environment } })
  const session = await openSession(gateway.api)
  const { faults } = gateway.simulator.control
  return { ...gateway, session, faults }
}

describe('a message that meets a fault which passes', { concurrency: 4 }, () => {
  const passing: [string, FaultRequest, number][] = [
    ['M5: one 500', { kind: 'status', status: 500, count: 1 }, 2],
    ['M5: one 502', { kind: 'status', status: 502, count: 1 }, 2],
    ['M5: one 503', { kind: 'status', status: 503, count: 1 }, 2],
    ['R1: a 429 with seconds', { kind: 'rate-limit', retryAfter: 1, count: 1 }, 2],
    ['A3: one 401', { kind: 'status', status: 401, count: 1 }, 2],
    ['G2: two 409s', { kind: 'status', status: 409, count: 2 }, 3],
    ['a slow answer', { kind: 'latency', latencyMs: 100, when: 'after', count: 1 }, 1],
  ]
  for (const [name, fault, attempts] of passing) {
    it(`${name}: is sent, once`, async (t) => {
      const { api, session, simulator, faults } = await start(t, {
        GENESYS_TIMEOUT_MS: '1000',
        GENESYS_ACTIVATION_TIMEOUT_MS: '3000',
      })
      faults.add({ ...fault, operation } as FaultRequest)

      const answer = await send(api, session, 'Hello')

      assert.equal(answer.status, 201, JSON.stringify(answer.body))
      assert.equal(answer.body.status, 'sent')
      assert.equal(answer.body.attempts, attempts)
      assert.equal(timesTaken(simulator, 'Hello'), 1)
      assert.equal(timesTried(simulator, 'Hello'), attempts)
    })
  }

  it('R1: waits as long as a date in Retry-After says', async (t) => {
    const { api, session, simulator, faults } = await start(t, { GENESYS_TIMEOUT_MS: '2000' })
    const until = Math.ceil(Date.now() / 1000) * 1000 + 1000
    const retryAfter = new Date(until).toUTCString()
    faults.add({ kind: 'rate-limit', retryAfter, count: 1, operation })

    const answer = await send(api, session, 'Hello')

    assert.equal(answer.body.status, 'sent', JSON.stringify(answer.body))
    const [, second] = simulator.control.received.list(operation)
    // Dates have whole seconds, so the platform's own Date may be one less than its clock.
    assert.ok(second && second.at >= until - 1000, `it left ${until - (second?.at ?? 0)} ms early`)
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })
})

describe('a message whose answer is lost', { concurrency: 4 }, () => {
  const lost: [string, FaultRequest, string, number][] = [
    ['a reset before acting', { kind: 'reset' }, 'upstream-error', 0],
    ['a reset after acting', { kind: 'reset', when: 'after' }, 'upstream-error', 1],
    ['a hang before acting', { kind: 'hang' }, 'upstream-timeout', 0],
    ['a hang after acting', { kind: 'hang', when: 'after' }, 'upstream-timeout', 1],
    ['an answer that is not JSON', { kind: 'malformed' }, 'upstream-invalid-response', 1],
    ['half an answer', { kind: 'truncated' }, 'upstream-error', 1],
  ]
  for (const [name, fault, code, taken] of lost) {
    it(`${name}: is unconfirmed, and never sent again by itself`, async (t) => {
      const { api, session, simulator, faults } = await start(t)
      faults.add({ ...fault, count: 1, operation } as FaultRequest)

      const answer = await send(api, session, 'Hello', { 'idempotency-key': 'once' })

      assert.equal(answer.status, 201)
      assert.equal(answer.body.status, 'unconfirmed')
      assert.equal(answer.body.attempts, 1)
      assert.equal(answer.body.error.code, code)
      assert.equal(answer.body.error.retryable, false)

      const repeat = await send(api, session, 'Hello', { 'idempotency-key': 'once' })
      assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
      assert.deepEqual(repeat.body, answer.body)

      // The next message leaves: what is in doubt holds nobody up, and nobody else's turn sends it again.
      assert.equal((await send(api, session, 'Next')).body.status, 'sent')
      assert.equal(timesTried(simulator, 'Hello'), 1)
      assert.equal(timesTaken(simulator, 'Hello'), taken)
    })
  }

  it('is sent again when its caller decides so, even when that doubles it', async (t) => {
    const { api, session, simulator, faults } = await start(t)
    faults.add({ kind: 'reset', when: 'after', count: 1, operation })
    const { body: message } = await send(api, session, 'Hello')

    const answer = await retry(api, session, message.id)

    assert.equal(answer.status, 201)
    assert.deepEqual(
      [answer.body.id, answer.body.status, answer.body.attempts, answer.body.error],
      [message.id, 'sent', 2, null],
    )
    assert.equal(timesTaken(simulator, 'Hello'), 2)
  })
})

describe('a message the platform does not take', { concurrency: 4 }, () => {
  interface Refusal {
    name: string
    fault: FaultRequest
    status: number
    code: string
    retryable: boolean
    attempts: number | 'several'
  }
  const refusals: Refusal[] = [
    {
      name: 'M5: nothing but 503',
      fault: { kind: 'status', status: 503 },
      ...{ status: 502, code: 'upstream-error', retryable: true, attempts: 'several' },
    },
    {
      name: 'M5: a 503 that asks for longer than the caller waits',
      fault: { kind: 'status', status: 503, retryAfter: 60 },
      ...{ status: 502, code: 'upstream-error', retryable: true, attempts: 1 },
    },
    {
      name: 'A4: 403',
      fault: { kind: 'status', status: 403 },
      ...{ status: 502, code: 'upstream-forbidden', retryable: false, attempts: 1 },
    },
    {
      name: 'A3: 401 twice',
      fault: { kind: 'status', status: 401 },
      ...{ status: 502, code: 'upstream-unauthorized', retryable: false, attempts: 2 },
    },
    {
      name: '400',
      fault: { kind: 'status', status: 400 },
      ...{ status: 422, code: 'upstream-rejected', retryable: false, attempts: 1 },
    },
    {
      name: '413',
      fault: { kind: 'status', status: 413 },
      ...{ status: 413, code: 'message-too-large', retryable: false, attempts: 1 },
    },
    {
      name: 'a redirect',
      fault: { kind: 'status', status: 302 },
      ...{ status: 502, code: 'upstream-invalid-response', retryable: false, attempts: 1 },
    },
    {
      name: 'G2: 409 although the guest is active',
      fault: { kind: 'status', status: 409 },
      ...{ status: 409, code: 'session-not-active', retryable: true, attempts: 'several' },
    },
  ]
  for (const { name, fault, status, code, retryable, attempts } of refusals) {
    it(`${name}: fails as ${code}, and is sent when asked to retry`, async (t) => {
      const { api, session, simulator, faults } = await start(t)
      faults.add({ ...fault, operation } as FaultRequest)

      const answer = await send(api, session, 'Hello')

      assert.equal(answer.status, status, JSON.stringify(answer.body))
      assert.equal(answer.headers.get('content-type'), 'application/problem+json; charset=utf-8')
      assert.equal(answer.body.code, code)
      assert.equal(answer.body.retryable, retryable)
      const message = await messageOf(api, session, 'Hello')
      assert.equal(message.status, 'failed')
      assert.equal(message.error.code, code)
      assert.equal(message.error.retryable, retryable)
      if (attempts === 'several') assert.ok(message.attempts > 1)
      else assert.equal(message.attempts, attempts)
      assert.equal(timesTaken(simulator, 'Hello'), 0)
      assert.equal(timesTried(simulator, 'Hello'), message.attempts)

      faults.remove()
      const again = await retry(api, session, message.id)
      assert.equal(again.status, 201, JSON.stringify(again.body))
      assert.equal(again.body.status, 'sent')
      assert.equal(again.body.attempts, message.attempts + 1)
      assert.equal(timesTaken(simulator, 'Hello'), 1)
      const { body } = await api('GET', `/v1/sessions/${session.id}`)
      assert.deepEqual(body.messages, { outbound: 1, inbound: 0, failed: 0 })
    })
  }

  it('R2: tells the true wait of a 429 at once when that is longer than the caller waits', async (t) => {
    const { api, session, simulator, faults } = await start(t)
    faults.add({ kind: 'rate-limit', retryAfter: 60, operation })

    const first = await send(api, session, 'Hello')
    const second = await send(api, session, 'Too')

    for (const { status, body, headers } of [first, second]) {
      assert.equal(status, 429)
      assert.equal(body.code, 'rate-limited')
      assert.equal(body.retryable, true)
      assert.ok(body.retryAfterSeconds > 50 && body.retryAfterSeconds <= 60)
      assert.equal(headers.get('retry-after'), String(body.retryAfterSeconds))
    }
    // The whole client was asked to wait, so the second was not even tried.
    assert.deepEqual([timesTried(simulator, 'Hello'), timesTried(simulator, 'Too')], [1, 0])
  })

  it('R1: comes through a storm of 429s', async (t) => {
    const { api, session, simulator, faults } = await start(t, { GENESYS_TIMEOUT_MS: '5000' })
    faults.add({ kind: 'rate-limit', retryAfter: 0, count: 3, operation })

    const answers = await Promise.all(['a', 'b'].map((text) => send(api, session, text)))

    assert.deepEqual(
      answers.map(({ body }) => body.status),
      ['sent', 'sent'],
    )
    assert.deepEqual(textsAt(simulator), ['a', 'b'])
    assert.equal(simulator.control.received.list(operation).length, 5)
  })
})

describe('retry', { concurrency: 4 }, () => {
  it('refuses a message that is neither failed nor unconfirmed', async (t) => {
    const { api, session, simulator, faults } = await start(t)
    const { body: sent } = await send(api, session, 'Sent')
    faults.add({ kind: 'latency', latencyMs: 200, count: 1, operation })
    const { body: leaving } = await send(api, session, 'Leaving', respondAsync)

    for (const { id } of [sent, leaving]) {
      const answer = await retry(api, session, id)
      assert.equal(answer.status, 409)
      assert.equal(answer.body.code, 'message-not-retryable')
      assert.equal(answer.body.retryable, false)
    }
    await settled(api, session, leaving.id)
    assert.deepEqual(textsAt(simulator), ['Sent', 'Leaving'])
  })

  it('sends once when two ask at the same time', async (t) => {
    const { api, session, simulator, faults } = await start(t)
    faults.add({ kind: 'status', status: 400, count: 1, operation })
    await send(api, session, 'Hello')
    const { id } = await messageOf(api, session, 'Hello')

    const answers = await Promise.all([1, 2, 3].map(() => retry(api, session, id)))

    const codes = answers.map(({ status, body }) => `${status} ${body.code ?? body.status}`).sort()
    const refused = '409 message-not-retryable'
    assert.deepEqual(codes, ['201 sent', refused, refused])
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })

  it('answers a repeat of an asynchronous retry with the 202 it gave, not with the old failure', async (t) => {
    const { api, session, simulator, faults } = await start(t)
    faults.add({ kind: 'status', status: 400, count: 1, operation })
    await send(api, session, 'Hello')
    const { id } = await messageOf(api, session, 'Hello')
    const headers = { ...respondAsync, 'idempotency-key': 'retry-1' }

    const first = await retry(api, session, id, headers)
    const repeat = await retry(api, session, id, headers)

    assert.equal(first.status, 202)
    assert.equal(repeat.status, 202)
    assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(repeat.body, first.body)
    await settled(api, session, id)
    assert.equal(timesTaken(simulator, 'Hello'), 1)
  })

  it('knows the session and the message, or says which is missing', async (t) => {
    const { api, session } = await start(t)
    const noMessage = await retry(api, session, 'msg_missing')
    const noSession = await retry(api, { id: 'gs_missing' }, 'msg_missing')
    assert.deepEqual([noMessage.status, noMessage.body.code], [404, 'message-not-found'])
    assert.deepEqual([noSession.status, noSession.body.code], [404, 'session-not-found'])
  })
})

describe('a message nobody waits for', () => {
  it('M4: outlives faults and leaves before those accepted after it', async (t) => {
    const { api, session, simulator, faults } = await start(t)
    faults.add({ kind: 'status', status: 503, count: 4, operation })
    const texts = ['one', 'two', 'three']
    for (const text of texts) {
      const { status, body, headers } = await send(api, session, text, respondAsync)
      assert.equal(status, 202)
      assert.equal(body.status, 'accepted')
      assert.equal(headers.get('location'), `/v1/sessions/${session.id}/messages/${body.id}`)
      assert.equal(headers.get('preference-applied'), 'respond-async')
    }

    await until('all are sent', async () => {
      const messages = await transcript(api, session)
      return messages.every(({ status }) => status === 'sent')
    })
    assert.deepEqual(textsAt(simulator), texts)
  })
})
