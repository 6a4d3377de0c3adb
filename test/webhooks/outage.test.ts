import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MovableTime } from '../../src/simulator/time.ts'
import { maxAttempts } from '../../src/webhooks/retry-times.ts'
import { movingTime } from '../bridge/support/moving-time.ts'
import { startTestGateway, type TestOptions } from '../support/gateway.ts'
import { type Api, createSession, openSession, send } from '../support/sessions.ts'
import { answers } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { addWebhook, allowPrivate, deliveriesOf, failingAfter } from './support/destination.ts'
import { sequencesOf, startReceiver } from './support/receiver.ts'

const hour = 3_600_000

/** A gateway whose time the test moves, and a receiver that is down. */
async function startOutage(
  t: Parameters<typeof startTestGateway>[0],
  more: object = {},
  options: TestOptions = {},
) {
  const clock = movingTime()
  const { api, logs } = await startTestGateway(t, {
    environment: allowPrivate,
    overrides: { clock },
    ...options,
  })
  const receiver = await startReceiver(t, { usually: answers(503, {}) })
  const webhook = await addWebhook(api, receiver.url, more)
  return { clock, api, logs, receiver, webhook }
}

/** Moves on to when the event that fails is tried again. */
function advanceTo(clock: MovableTime, { nextAt }: { nextAt: string }): void {
  clock.advance(Math.max(0, Date.parse(nextAt) - clock.now()) + 1)
}

describe('An outage of a receiver', () => {
  it('E2 of a day loses nothing, and everything comes in order afterwards', async (t) => {
    const { clock, api, receiver, webhook } = await startOutage(t)
    const session = await openSession(api)
    const began = clock.now()
    let attempts = 0
    do {
      attempts += 1
      const failing = await failingAfter(api, webhook, attempts)
      assert.equal((await send(api, session, `during try ${attempts}`)).body.status, 'sent')
      advanceTo(clock, failing)
    } while (clock.now() - began < 24 * hour)
    await failingAfter(api, webhook, attempts + 1)

    const tries = receiver.seen.map(({ headers }) => headers)
    assert.deepEqual(new Set(tries.map((headers) => headers['webhook-id'])).size, 1)
    const stamps = tries.map((headers) => Number(headers['webhook-timestamp']))
    assert.ok(stamps.every((stamp, index) => stamp > (stamps[index - 1] ?? 0)))

    receiver.usually(receiver.takes)
    advanceTo(clock, await failingAfter(api, webhook, attempts + 1))
    await send(api, session, 'after it')
    const isLast = () => receiver.taken.at(-1)?.body.data.text === 'after it'
    await until(
      'the newest event',
      () => isLast() && receiver.taken.at(-1)?.body.type === 'message.sent',
    )
    assert.deepEqual(sequencesOf(receiver.taken, session.id), upTo(receiver.taken.length))
    const { failing, deadLetters } = await deliveriesOf(api, webhook)
    assert.equal(failing, null)
    assert.deepEqual(deadLetters, [])
  })

  it('E2 that outlasts all tries leaves a dead letter, and the next event is delivered', async (t) => {
    const { clock, api, logs, receiver, webhook } = await startOutage(t, {
      eventTypes: ['session.created'],
    })
    const lost = await createSession(api)
    const began = clock.now()
    for (let attempts = 1; attempts < maxAttempts; attempts += 1) {
      advanceTo(clock, await failingAfter(api, webhook, attempts))
    }
    const [letter] = await until('a dead letter', async () => {
      const { deadLetters } = await deliveriesOf(api, webhook)
      return deadLetters.length > 0 && deadLetters
    })
    assert.ok(clock.now() - began >= 48 * hour)
    assert.equal(letter.attempts, maxAttempts)
    assert.equal(letter.type, 'session.created')
    assert.equal(letter.error, 'answered 503')
    assert.equal(receiver.seen.length, maxAttempts)
    assert.equal((await api('GET', '/v1/stats')).body.webhooks.deadLettered, 1)
    const told = logs.map((line) => JSON.parse(line)).filter((line) => line.webhookId)
    assert.deepEqual(
      told.map(({ level, webhookId, eventId, reason }) => [level, webhookId, eventId, reason]),
      [[40, webhook.id, letter.eventId, letter.error]],
    )

    receiver.usually(receiver.takes)
    const next = await createSession(api)
    assert.deepEqual(
      (await receiver.took(1)).map(({ body }) => body.subject),
      [next.id],
    )

    // What was given up can be had again.
    const replay = { from: letter.eventId }
    assert.equal((await api('POST', `/v1/webhooks/${webhook.id}/replay`, replay)).status, 202)
    const taken = await receiver.took(3)
    assert.deepEqual(
      taken.map(({ body }) => body.subject),
      [next.id, lost.id, next.id],
    )
  })

  it('E2 of a receiver that names a time lasts that long', async (t) => {
    const { clock, api, receiver, webhook } = await startOutage(t)
    receiver.usually(answers(429, {}, { 'retry-after': '3600' }))
    await createSession(api)
    const { nextAt } = await failingAfter(api, webhook, 1)
    const wait = Date.parse(nextAt) - clock.now()
    assert.ok(wait > 3_500_000 && wait <= 3_600_000, `${wait} ms`)

    const date = new Date(clock.now() + 2 * hour)
    receiver.usually(answers(503, {}, { 'retry-after': date.toUTCString() }))
    advanceTo(clock, { nextAt })
    const later = await failingAfter(api, webhook, 2)
    assert.equal(Math.floor(Date.parse(later.nextAt) / 1000), Math.floor(date.getTime() / 1000))
  })
})

describe('A receiver that answers 410', () => {
  it('gets nothing more, and all of it from the event of a replay on', async (t) => {
    const { api, logs, receiver, webhook } = await startOutage(t)
    const other = await startReceiver(t)
    await addWebhook(api, other.url)
    receiver.usually(answers(410, {}))
    const session = await openSession(api)
    const disabled = await until('it is disabled', async () => {
      const { body } = await api('GET', `/v1/webhooks/${webhook.id}`)
      return body.enabled === false && body
    })
    assert.equal(disabled.disabledReason, 'the receiver answered 410')
    const lines = logs.map((line) => JSON.parse(line)).filter((line) => line.webhookId)
    assert.deepEqual(
      lines.map(({ level, webhookId, reason, err }) => [level, webhookId, reason, err]),
      [[40, webhook.id, 'the receiver answered 410', undefined]],
    )
    assert.match(lines[0].msg, /switched off: its receiver is gone/)

    await send(api, session, 'unheard')
    await until('the other has it', () => other.taken.at(-1)?.body.type === 'message.sent')
    assert.equal(receiver.seen.length, 1)
    assert.equal((await api('GET', '/v1/stats')).body.webhooks.pending, 0)

    receiver.usually(receiver.takes)
    const [, second] = other.taken
    await replay(api, webhook, second?.id ?? '')
    await until('the newest event', () => receiver.taken.at(-1)?.body.type === 'message.sent')
    // Nothing is skipped: the event it refused comes, too.
    assert.deepEqual(
      receiver.taken.map(({ id }) => id),
      other.taken.map(({ id }) => id),
    )
    assert.equal((await api('GET', `/v1/webhooks/${webhook.id}`)).body.enabled, true)
  })
})

async function replay(api: Api, { id }: { id: string }, from: string): Promise<void> {
  const { status, body } = await api('POST', `/v1/webhooks/${id}/replay`, { from })
  assert.equal(status, 202, JSON.stringify(body))
}
