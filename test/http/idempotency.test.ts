import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { type Answer, startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const guest = { guest: { name: 'Ada' } }
/** Never used before. */
const newKey = () => `key-${randomUUID()}`
const under = (key: string, role = 'app') => ({
  'idempotency-key': key,
  authorization: `Bearer test-${role}-key`,
})

describe('Idempotency-Key', () => {
  const gateway = sharedGateway()
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)
  const sends = () => gateway().simulator.control.received.list('external-guests.sendMessage')

  function assertReplayed(first: Answer, again: Answer) {
    assert.equal(first.headers.get('idempotent-replayed'), null)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual([again.status, again.body], [first.status, first.body])
    assert.equal(again.headers.get('location'), first.headers.get('location'))
    assert.equal(again.headers.get('content-type'), first.headers.get('content-type'))
  }

  it('gives a repeated creation the first answer, and makes one guest', async () => {
    const key = newKey()
    const first = await api('POST', '/v1/sessions', guest, under(key))
    const again = await api('POST', '/v1/sessions', guest, under(key))
    assert.equal(first.status, 201)
    assertReplayed(first, again)
  })

  it('gives a repeated message the first answer, and sends it once', async () => {
    const session = await openSession(api)
    const before = sends().length
    const key = newKey()
    const first = await send(api, session, 'Hello', under(key))
    const again = await send(api, session, 'Hello', under(key))
    assertReplayed(first, again)
    assert.equal(sends().length, before + 1)
  })

  it('gives a repeated message answered 202 the same 202', async () => {
    const session = await openSession(api)
    const headers = { ...under(newKey()), prefer: 'respond-async' }
    const first = await send(api, session, 'Hello', headers)
    assert.equal(first.status, 202)
    assertReplayed(first, await send(api, session, 'Hello', headers))
  })

  it('gives a repeated request that failed for good the same problem', async () => {
    const session = await openSession(api)
    gateway().simulator.control.faults.add({
      kind: 'status',
      status: 400,
      count: 1,
      operation: 'external-guests.sendMessage',
    })
    const key = newKey()
    const first = await send(api, session, 'Hello', under(key))
    assertProblem(first, 'upstream-rejected')
    assertReplayed(first, await send(api, session, 'Hello', under(key)))
  })

  it('gives a repeated showing of typing the first answer, and shows it once', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, simulator } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openSession(api, { dialect: 'web-messaging' })
    const type = (key: string) =>
      api('POST', `/v1/sessions/${session.id}/typing`, undefined, under(key))
    const shown = () =>
      simulator.control.received
        .list('web-messaging.connect.frame')
        .filter(({ body }) => JSON.stringify(body).includes('"Typing"')).length
    const key = newKey()
    const first = await type(key)
    assert.equal(first.status, 204)
    await until('it shows', () => shown() === 1)
    // So that the pace of typing does not keep the next one back.
    time.advance(6_000)
    assertReplayed(first, await type(key))
    await type(newKey())
    await until('it shows again', () => shown() === 2)
    const other = await openSession(api, { dialect: 'web-messaging' })
    const elsewhere = `/v1/sessions/${other.id}/typing`
    assertProblem(await api('POST', elsewhere, undefined, under(key)), 'idempotency-key-reused')
  })

  it('takes the order of fields and the spacing of a body for nothing', async () => {
    const key = newKey()
    const first = await api(
      'POST',
      '/v1/sessions',
      '{"guest":{"name":"Ada","email":"a@b.c"}}',
      under(key),
    )
    const again = await api(
      'POST',
      '/v1/sessions',
      ' {"guest" : {"email":"a@b.c", "name":"Ada"} } ',
      under(key),
    )
    assertReplayed(first, again)
  })

  it('is idempotency-key-reused with another body, path or method', async () => {
    const key = newKey()
    const first = await api('POST', '/v1/sessions', guest, under(key))
    const session = first.body
    assertProblem(
      await api('POST', '/v1/sessions', { guest: { name: 'Bob' } }, under(key)),
      'idempotency-key-reused',
    )
    assertProblem(await send(api, session, 'Hello', under(key)), 'idempotency-key-reused')
    assertProblem(
      await api('POST', `/v1/sessions/${session.id}/messages/m/retry`, undefined, under(key)),
      'idempotency-key-reused',
    )
  })

  it('is idempotency-key-in-progress while the first request runs', async () => {
    const { simulator } = gateway()
    const session = await openSession(api)
    simulator.control.faults.add({
      kind: 'latency',
      latencyMs: 400,
      count: 1,
      operation: 'external-guests.sendMessage',
    })
    const key = newKey()
    const arrived = simulator.control.received.next(
      ({ operation }) => operation === 'external-guests.sendMessage',
    )
    const first = send(api, session, 'Hello', under(key))
    const race = await Promise.race([
      (async () => {
        for (;;) {
          const answer = await send(api, session, 'Hello', under(key))
          if (answer.status === 409) return answer
        }
      })(),
      arrived.then(() => first),
    ])
    const problem = assertProblem(race, 'idempotency-key-in-progress')
    assert.equal(problem.retryable, true)
    assert.equal(problem.retryAfterSeconds, 1)
    assertProblem(await send(api, session, 'Other', under(key)), 'idempotency-key-reused')
    const answered = await first
    assert.equal(answered.status, 201)
    assertReplayed(answered, await send(api, session, 'Hello', under(key)))
  })

  it('belongs to one API key: two callers may use the same', async () => {
    const key = newKey()
    const one = await api('POST', '/v1/sessions', guest, under(key, 'app'))
    const other = await api('POST', '/v1/sessions', guest, under(key, 'admin'))
    assert.deepEqual([one.status, other.status], [201, 201])
    assert.notEqual(one.body.id, other.body.id)
    assert.equal(other.headers.get('idempotent-replayed'), null)
  })

  it('is free again after a refusal that may pass', async () => {
    const { simulator } = gateway()
    const key = newKey()
    simulator.control.faults.add({
      kind: 'status',
      status: 503,
      count: 20,
      operation: 'external-guests.createGuest',
    })
    const refused = await api('POST', '/v1/sessions', guest, under(key))
    assert.equal(refused.status, 502)
    simulator.control.faults.remove()
    // Another body would be refused were the key not free.
    const created = await api('POST', '/v1/sessions', { guest: { name: 'Bob' } }, under(key))
    assert.equal(created.status, 201)
  })

  it('is free again after a request that was not valid', async () => {
    const key = newKey()
    assertProblem(await api('POST', '/v1/sessions', {}, under(key)), 'invalid-request')
    assert.equal((await api('POST', '/v1/sessions', guest, under(key))).status, 201)
  })

  it('does not make a message that is gone out of a message of another session', async () => {
    const [one, other] = [await createSession(api), await createSession(api)]
    const key = newKey()
    assert.equal((await send(api, one, 'Hello', under(key))).status, 201)
    assertProblem(await send(api, other, 'Hello', under(key)), 'idempotency-key-reused')
  })

  it('may be any 1 to 255 visible ASCII characters', async () => {
    for (const key of ['a', '!'.repeat(255), 'a/b:c"d\'e,f;g{}', '\\x00']) {
      const { status } = await api(
        'POST',
        '/v1/sessions',
        guest,
        under(`${newKey()}${key}`.slice(-255)),
      )
      assert.equal(status, 201, key)
    }
  })

  it('is invalid-request in any other form, and nothing is done', async () => {
    const { body: before } = await api('GET', '/v1/stats')
    for (const key of ['', 'two words', 'x'.repeat(256), 'naïve', 'tab\there']) {
      const { errors } = assertProblem(
        await api('POST', '/v1/sessions', guest, under(key)),
        'invalid-request',
      )
      assert.equal(errors[0].pointer, 'header:idempotency-key')
    }
    const { body: after } = await api('GET', '/v1/stats')
    assert.equal(after.sessions.total, before.sessions.total)
  })
})
