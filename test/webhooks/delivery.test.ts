import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { movingTime } from '../bridge/support/moving-time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import {
  after,
  answers,
  type Behaviour,
  breaksOff,
  hangs,
  resetsAfterReading,
  resetsAtOnce,
  talksNonsense,
} from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { addWebhook, allowPrivate, deliveriesOf, failingAfter } from './support/destination.ts'
import { sequencesOf, startReceiver } from './support/receiver.ts'

describe('Deliveries', () => {
  it('E2 bring every event once and in order, as CloudEvents', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url)
    const session = await openSession(api)
    for (const text of ['one', 'two', 'three']) await send(api, session, text)
    await api('DELETE', `/v1/sessions/${session.id}`)

    await until('the close', () => receiver.taken.at(-1)?.body.type === 'session.closed')
    assert.deepEqual(sequencesOf(receiver.taken, session.id), upTo(receiver.taken.length))
    for (const { id, headers, body } of receiver.taken) {
      assert.equal(headers['content-type'], 'application/cloudevents+json; charset=utf-8')
      assert.equal(headers['x-source'], 'genesys-guest-gateway')
      assert.equal(body.specversion, '1.0')
      assert.equal(body.id, id)
      assert.equal(body.subject, session.id)
    }
  })

  it('bring only the events asked for', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url, { eventTypes: ['message.sent', 'session.closed'] })
    const session = await openSession(api)
    await send(api, session, 'one')
    await api('DELETE', `/v1/sessions/${session.id}`)

    const taken = await receiver.took(2)
    assert.deepEqual(
      taken.map(({ body }) => body.type),
      ['message.sent', 'session.closed'],
    )
  })

  it('E2 are never in the way of a caller, whose receiver hangs', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const cameBack = Promise.withResolvers<void>()
    const receiver = await startReceiver(t)
    receiver.usually(after(cameBack.promise, receiver.takes))
    await addWebhook(api, receiver.url)
    const session = await openSession(api)
    await receiver.arrived(1)

    const answered = await send(api, session, 'while it hangs')
    assert.equal(answered.body.status, 'sent')
    await api('DELETE', `/v1/sessions/${session.id}`)
    // All of it was answered before the first delivery was.
    assert.deepEqual(receiver.taken, [])
    assert.equal(receiver.seen.length, 1)

    cameBack.resolve()
    await until('the close', () => receiver.taken.at(-1)?.body.type === 'session.closed')
    assert.deepEqual(sequencesOf(receiver.taken, session.id), upTo(receiver.taken.length))
  })

  it('E2 to one receiver do not wait for those that hang, at the same host or none', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const gone = await startReceiver(t)
    await gone[Symbol.asyncDispose]()
    receiver.usually((request, response, seen) =>
      (request.url === '/well' ? receiver.takes : hangs)(request, response, seen),
    )
    const hanging = []
    for (const path of ['a', 'b', 'c']) {
      hanging.push(await addWebhook(api, `${receiver.url}/hangs/${path}`))
    }
    await addWebhook(api, gone.url)
    await addWebhook(api, `${receiver.url}/well`)
    const session = await createSession(api)
    await send(api, session, 'hello')

    await until('all events', () => receiver.taken.some(({ body }) => body.type === 'message.sent'))
    assert.deepEqual(sequencesOf(receiver.taken, session.id), upTo(receiver.taken.length))
    for (const webhook of hanging) {
      assert.deepEqual((await deliveriesOf(api, webhook)).attempts, [], 'the first still hangs')
    }
  })

  const failures: [string, Behaviour, number | RegExp][] = [
    ['500', answers(500, {}), 500],
    ['404', answers(404, {}), 404],
    ['a failure whose body breaks off', breaksOff(503), 503],
    ['a reset connection', resetsAtOnce, /ECONNRESET|other side closed/i],
    ['a reset after the request was read', resetsAfterReading, /ECONNRESET|other side closed/i],
    ['something that is not HTTP', talksNonsense, /./],
  ]
  for (const [what, behaviour, seen] of failures) {
    it(`E2 come again within ten seconds after ${what}`, async (t) => {
      const clock = movingTime()
      const { api } = await startTestGateway(t, { environment: allowPrivate, overrides: { clock } })
      const receiver = await startReceiver(t)
      receiver.queue(behaviour)
      const webhook = await addWebhook(api, receiver.url)
      await createSession(api)
      await failingAfter(api, webhook, 1)
      const [attempt] = (await deliveriesOf(api, webhook)).attempts
      if (typeof seen === 'number') assert.equal(attempt.status, seen)
      else assert.match(attempt.error, seen)

      clock.advance(10_000)
      const [first] = await receiver.took(1)
      assert.equal(first?.id, attempt.eventId)
      assert.equal(first?.body.sequence, 1)
    })
  }

  it('count as made once the receiver said 200, whatever becomes of its body', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    receiver.queue(breaksOff(200))
    const webhook = await addWebhook(api, receiver.url)
    await createSession(api)
    await receiver.took(1)
    const { attempts } = await deliveriesOf(api, webhook)
    assert.deepEqual(
      new Set(attempts.map((each: { attempt: number }) => each.attempt)),
      new Set([1]),
    )
  })

  it('follow no redirect', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const elsewhere = await startReceiver(t)
    const receiver = await startReceiver(t, {
      usually: answers(307, undefined, { location: elsewhere.url }),
    })
    const webhook = await addWebhook(api, receiver.url)
    await createSession(api)
    await failingAfter(api, webhook, 1)
    assert.equal((await deliveriesOf(api, webhook)).attempts[0].status, 307)
    assert.deepEqual(elsewhere.seen, [])
  })

  it('E2 are given up after five seconds without an answer, and made again', async (t) => {
    const clock = movingTime()
    const { api } = await startTestGateway(t, { environment: allowPrivate, overrides: { clock } })
    const receiver = await startReceiver(t)
    receiver.queue(hangs)
    const webhook = await addWebhook(api, receiver.url)
    await createSession(api)
    await failingAfter(api, webhook, 1)
    const [attempt] = (await deliveriesOf(api, webhook)).attempts
    assert.equal(attempt.error, 'no answer within 5000 ms')
    assert.ok(attempt.durationMs >= 4900 && attempt.durationMs < 10_000)
    clock.advance(10_000)
    const [first] = await receiver.took(1)
    assert.equal(first?.id, attempt.eventId)
  })
})
