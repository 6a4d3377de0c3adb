import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { textsAt } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import { createSession, openSession, respondAsync, send, transcript } from '../support/sessions.ts'
import { until } from '../support/until.ts'

const operation = 'external-guests.sendMessage'
const hurried = { GENESYS_TIMEOUT_MS: '200', GENESYS_ACTIVATION_TIMEOUT_MS: '600' }

describe('a platform that is down', { concurrency: 4 }, () => {
  it('is left alone for a while, says so at once, and is found again', async (t) => {
    const { api, simulator, logs } = await startTestGateway(t, { environment: hurried })
    const session = await openSession(api)
    const other = await openSession(api)
    const accepted = []
    simulator.control.faults.add({ kind: 'status', status: 503, operation: 'external-guests' })
    for (const text of ['one', 'two', 'three']) {
      accepted.push(await send(api, session, text, respondAsync))
    }

    const refused = await until('the breaker is open', async () => {
      const answers = await Promise.all(['a', 'b', 'c'].map((text) => send(api, other, text)))
      return answers.find(({ body }) => body.code === 'upstream-unavailable')
    })

    assert.equal(refused.status, 503)
    assert.equal(refused.body.retryable, true)
    assert.ok(refused.body.retryAfterSeconds >= 1)
    assert.equal(refused.headers.get('retry-after'), String(refused.body.retryAfterSeconds))
    const seen = simulator.control.received.list('external-guests').length
    const askedAt = performance.now()
    const created = await api('POST', '/v1/sessions', { guest: { name: 'Bob' } })
    assert.equal(created.body.code, 'upstream-unavailable')
    assert.ok(performance.now() - askedAt < 1000)
    const probes = simulator.control.received.list('external-guests').length - seen
    assert.ok(probes <= 1, `${probes} calls`)
    assert.ok(accepted.every(({ status }) => status === 202))
    assert.deepEqual(textsAt(simulator), [])

    simulator.control.faults.remove()

    await until('what was accepted has left', async () => {
      const messages = await transcript(api, session)
      return messages.every(({ status }) => status === 'sent')
    })
    assert.deepEqual(textsAt(simulator, session.conversationId), ['one', 'two', 'three'])
    await until('callers are served again', async () => {
      return (await send(api, other, 'again')).status === 201
    })
    const states = logs
      .map((line) => JSON.parse(line))
      .filter(({ msg }) => msg === 'circuit breaker')
    assert.equal(states[0]?.state, 'open')
    assert.equal(states.at(-1)?.state, 'closed')
  })

  it('does not count the time a guest was routed as an outage', async (t) => {
    const clock = new MovableTime(systemClock)
    const { api, simulator } = await startTestGateway(t, {
      environment: hurried,
      overrides: { clock },
    })
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    await send(api, session, 'Hello', respondAsync)
    clock.advance(11 * 60_000)
    simulator.control.faults.add({ kind: 'status', status: 503, count: 4, operation })

    simulator.control.freezeRouting(false)

    await until('it has left after all', async () => {
      const [message] = await transcript(api, session)
      assert.notEqual(message.status, 'failed')
      return message.status === 'sent'
    })
    assert.deepEqual(textsAt(simulator), ['Hello'])
  })

  it('gets ten minutes before an accepted message is given up', async (t) => {
    const clock = new MovableTime(systemClock)
    const { api, simulator } = await startTestGateway(t, {
      environment: hurried,
      overrides: { clock },
    })
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'status', status: 503, operation })
    await send(api, session, 'Hello', respondAsync)
    const tries = () => simulator.control.received.list(operation).length
    await until('it was tried', () => tries() > 0)

    clock.advance(9 * 60_000)
    const before = tries()
    await until('it is tried again', () => tries() > before)
    assert.equal((await transcript(api, session))[0].status, 'accepted')
    await until('it is given up', async () => {
      clock.advance(60_000)
      const [message] = await transcript(api, session)
      return message.status === 'failed' && message
    })
    const [message] = await transcript(api, session)
    assert.equal(message.error.retryable, true)
  })
})
