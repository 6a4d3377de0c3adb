import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { Webhook } from 'standardwebhooks'
import { movingTime } from '../bridge/support/moving-time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { answers } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { addWebhook, allowPrivate, deliveriesOf, failingAfter } from './support/destination.ts'
import { startReceiver, type Taken } from './support/receiver.ts'

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

/** As a receiver does it with the published package. Throws when it is not genuine. */
function verify(secret: string, { text, headers }: Taken): void {
  new Webhook(secret).verify(text, headers)
}

describe('The signature of a delivery', () => {
  it('is verified by the Standard Webhooks package, and by no other secret', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const { secret } = await addWebhook(api, receiver.url)
    const { secret: another } = await addWebhook(api, 'https://hooks.invalid/')
    assert.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    const session = await openSession(api)
    await send(api, session, 'Grüße 🙂')
    await until('all', () => receiver.taken.at(-1)?.body.type === 'message.sent')
    for (const taken of receiver.taken) {
      verify(secret, taken)
      assert.throws(() => verify(another, taken))
      assert.throws(() => verify(secret, { ...taken, text: `${taken.text} ` }))
    }
  })

  it('covers the analytics format, too', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const { secret } = await addWebhook(api, receiver.url, { format: 'analytics' })
    await createSession(api)
    const [taken] = await receiver.took(1)
    assert.ok(taken)
    verify(secret, taken)
  })

  it('is made with both secrets for a day after a rotation, then with the new one', async (t) => {
    const clock = movingTime()
    const { api } = await startTestGateway(t, { environment: allowPrivate, overrides: { clock } })
    const receiver = await startReceiver(t)
    const { id, secret: old } = await addWebhook(api, receiver.url, {
      eventTypes: ['session.created'],
    })
    const rotated = await api('POST', `/v1/webhooks/${id}/rotate-secret`)
    assert.equal(rotated.status, 200)
    const { secret } = rotated.body
    assert.notEqual(secret, old)

    await createSession(api)
    const [both] = await receiver.took(1)
    assert.ok(both)
    verify(old, both)
    verify(secret, both)

    clock.advance(86_400_000 + 1)
    await createSession(api)
    const [, one] = await receiver.took(2)
    assert.equal(one?.headers['webhook-signature']?.split(' ').length, 1)
    // Its time is a day ahead of the package's, so the newest secret is asked to sign the same again.
    const at = new Date(Number(one?.headers['webhook-timestamp']) * 1000)
    const signed = new Webhook(secret).sign(one?.id ?? '', at, one?.text ?? '')
    assert.equal(one?.headers['webhook-signature'], signed)
  })

  it('keeps the event id over retries, and has the time of its own try', async (t) => {
    const clock = movingTime()
    const { api } = await startTestGateway(t, { environment: allowPrivate, overrides: { clock } })
    const receiver = await startReceiver(t)
    receiver.queue(answers(500, {}))
    const webhook = await addWebhook(api, receiver.url)
    await createSession(api)
    await failingAfter(api, webhook, 1)
    clock.advance(10_000)
    const [taken] = await receiver.took(1)
    const [first] = receiver.seen
    assert.equal(taken?.id, taken?.body.id)
    assert.equal(first?.headers['webhook-id'], taken?.id)
    const between =
      Number(taken?.headers['webhook-timestamp']) - Number(first?.headers['webhook-timestamp'])
    assert.ok(between >= 9, `${between} s`)
    assert.ok(taken)
    verify(webhook.secret, taken)
  })
})

describe("A destination's secrets", () => {
  it('are shown once: in no later answer, no log, no delivery, no file', async (t) => {
    const folder = temporaryFolder(t)
    const { api, logs, gateway } = await startTestGateway(t, {
      environment: { ...allowPrivate, STORE: `sqlite:${path.join(folder, 'gateway.db')}` },
    })
    const receiver = await startReceiver(t)
    const headers = { authorization: 'Bearer fake-receiver-token', 'x-tenant': 'shop' }
    const webhook = await addWebhook(api, `${receiver.url}/?key=fake-url-key`, { headers })
    const { secret } = (await api('POST', `/v1/webhooks/${webhook.id}/rotate-secret`)).body
    await createSession(api)
    const [taken] = await receiver.took(1)
    assert.equal(taken?.headers.authorization, headers.authorization)
    assert.equal(taken?.headers['x-tenant'], 'shop')

    const answered = await Promise.all([
      api('GET', '/v1/webhooks'),
      api('GET', `/v1/webhooks/${webhook.id}`),
      api('POST', `/v1/webhooks/${webhook.id}/replay`, { from: taken?.id }),
      deliveriesOf(api, webhook),
    ])
    assert.deepEqual(answered[1]?.body.headerNames, ['authorization', 'x-tenant'])
    await gateway[Symbol.asyncDispose]()
    const files = readdirSync(folder).map((file) => readFileSync(path.join(folder, file), 'latin1'))
    const said = { answers: JSON.stringify(answered), logs: logs.join(''), files: files.join('') }
    for (const [where, text] of Object.entries(said)) {
      for (const each of [webhook.secret, secret, 'fake-receiver-token']) {
        const bytes = each.replace('whsec_', '')
        assert.ok(!text.includes(bytes), `${where} have ${each}`)
        const raw = Buffer.from(bytes, 'base64').toString('latin1')
        assert.ok(!text.includes(raw), `${where} have the bytes of ${each}`)
      }
    }
    for (const text of [said.logs, said.files]) assert.ok(!text.includes('fake-url-key'))
  })
})

describe('The headers of a delivery', () => {
  it("continue the caller's trace, and mark what the receiver's own calls caused", async (t) => {
    const { api } = await startTestGateway(t, {
      environment: {
        ...allowPrivate,
        API_KEYS: 'admin:admin:test-admin-key,crm:app:fake-crm-key',
      },
    })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url, { apiKeyName: 'crm' })
    const asCrm = { authorization: 'Bearer fake-crm-key', traceparent }
    const body = { guest: { name: 'Ada' } }
    const theirs = await api('POST', '/v1/sessions', body, asCrm)
    const others = await api('POST', '/v1/sessions', body)
    await send(api, theirs.body, 'by the receiver', asCrm)
    await send(api, others.body, 'by another')
    const sent = () => receiver.taken.filter(({ body }) => body.type === 'message.sent')
    await until('both', () => sent().length === 2)

    for (const { headers, body } of receiver.taken) {
      const isTheirs = body.subject === theirs.body.id
      // Becoming active is the platform's doing.
      if (body.type === 'session.activated') continue
      assert.equal(headers['x-webhook-loop'], isTheirs ? 'crm' : undefined, body.type)
      assert.match(String(headers.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      assert.equal(headers.traceparent === traceparent, isTheirs, body.type)
    }
  })

  it('are ours where a caller names one of them', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const headers = { 'User-Agent': 'mine', 'X-Two': 'b' }
    await addWebhook(api, receiver.url, { headers })
    await createSession(api)
    const [taken] = await receiver.took(1)
    assert.equal(taken?.headers['user-agent'], 'mine')
    assert.equal(taken?.headers['x-two'], 'b')
    for (const name of [
      'X-Source',
      'Webhook-Id',
      'X-Webhook-Loop',
      'TraceParent',
      'Content-Type',
    ]) {
      const refused = await api('POST', '/v1/webhooks', {
        url: receiver.url,
        headers: { [name]: 'mine' },
      })
      assert.equal(refused.status, 400, name)
    }
  })
})
