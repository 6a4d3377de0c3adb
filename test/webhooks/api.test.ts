import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { schemaErrors } from '../support/schema.ts'
import { createSession } from '../support/sessions.ts'
import { answers } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { addWebhook, allowPrivate, deliveriesOf, failingAfter } from './support/destination.ts'
import { startReceiver } from './support/receiver.ts'

describe('/v1/webhooks', () => {
  it('makes, shows, lists and removes destinations', async (t) => {
    const { api } = await startTestGateway(t)
    const url = 'https://hooks.invalid/guests'
    const eventTypes = ['message.sent', 'message.failed']
    const created = await api('POST', '/v1/webhooks', { url, eventTypes, headers: { 'x-a': 'b' } })
    assert.equal(created.status, 201)
    const { secret, ...webhook } = created.body
    assert.match(webhook.id, /^whk_/)
    assert.equal(created.headers.get('location'), `/v1/webhooks/${webhook.id}`)
    assert.deepEqual(webhook, {
      ...{ id: webhook.id, url, eventTypes, format: 'cloudevents', headerNames: ['x-a'] },
      ...{ apiKeyName: null, createdAt: webhook.createdAt, enabled: true },
      ...{ disabledReason: null, fromSettings: false },
    })
    assert.match(secret, /^whsec_/)
    assert.deepEqual((await api('GET', `/v1/webhooks/${webhook.id}`)).body, webhook)
    const listed = { items: [webhook], nextCursor: null }
    assert.deepEqual((await api('GET', '/v1/webhooks')).body, listed)

    assert.equal((await api('DELETE', `/v1/webhooks/${webhook.id}`)).status, 204)
    assert.equal((await api('DELETE', `/v1/webhooks/${webhook.id}`)).status, 404)
    assert.deepEqual((await api('GET', '/v1/webhooks')).body.items, [])
  })

  it('brings events from then on, not those before', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await createSession(api)
    await addWebhook(api, receiver.url, { eventTypes: ['session.created'] })
    const session = await createSession(api)
    const [first] = await receiver.took(1)
    assert.equal(first?.body.subject, session.id)
  })

  it('shows what was tried, newest first, and what is being retried', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t, { usually: answers(500, { secret: 'fake-detail' }) })
    receiver.queue(receiver.takes)
    const webhook = await addWebhook(api, receiver.url)
    const idle = { attempts: [], failing: null, deadLetters: [] }
    assert.deepEqual(await deliveriesOf(api, webhook), idle)

    await createSession(api)
    const failing = await failingAfter(api, webhook, 1)
    const deliveries = await deliveriesOf(api, webhook)
    assert.deepEqual(schemaErrors({ $ref: '#/components/schemas/Deliveries' }, deliveries), [])
    const [newest, before] = deliveries.attempts
    assert.equal(newest.eventId, failing.eventId)
    assert.equal(newest.status, 500)
    assert.equal(before.type, 'session.created')
    assert.equal(before.status, 204)
    assert.equal(before.error, null)
    assert.equal(before.attempt, 1)
    const wait = Date.parse(failing.nextAt) - Date.parse(failing.since)
    assert.ok(wait > 0 && wait <= 10_000, `${wait} ms`)
    assert.doesNotMatch(JSON.stringify(deliveries), /fake-detail/)
  })

  it('has its backlog in the stats', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t, { usually: answers(500, {}) })
    const backlog = async () => (await api('GET', '/v1/stats')).body.webhooks
    assert.deepEqual(await backlog(), { pending: 0, deadLettered: 0 })
    const webhook = await addWebhook(api, receiver.url)
    await createSession(api, { dialect: 'conversations' })
    const { eventId } = await failingAfter(api, webhook, 1)
    // session.created and session.activated
    assert.deepEqual(await backlog(), { pending: 2, deadLettered: 0 })
    receiver.usually(receiver.takes)
    await api('POST', `/v1/webhooks/${webhook.id}/replay`, { from: eventId })
    await until('nothing waits', async () => (await backlog()).pending === 0)
  })
})
