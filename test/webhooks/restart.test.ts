import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import {
  type GatewayProcess,
  settingsFor,
  startGatewayProcess,
} from '../support/gateway-process.ts'
import { createSession, openSession, respondAsync, send } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { answers, hangs } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { addWebhook, allowPrivate, deliveriesOf, failingAfter } from './support/destination.ts'
import { type Receiver, sequencesOf, startReceiver } from './support/receiver.ts'

async function startPlatform(t: TestContext): Promise<Simulator> {
  const simulator = await startSimulator({
    port: 0,
    seed: 'test',
    activationMs: 0,
    rateLimit: 'off',
    agent: false,
  })
  t.after(() => simulator[Symbol.asyncDispose]())
  return simulator
}

/** A gateway that can be started again in the same folder. */
async function startProcess(t: TestContext) {
  const folder = temporaryFolder(t)
  const simulator = await startPlatform(t)
  const start = (environment: Record<string, string> = {}): Promise<GatewayProcess> =>
    startGatewayProcess(t, folder, settingsFor(simulator, { ...allowPrivate, ...environment }))
  return { start }
}

function sentTexts({ taken }: Receiver): string[] {
  return taken.flatMap(({ body }) => (body.type === 'message.sent' ? [body.data.text] : []))
}

describe('Destinations over restarts', () => {
  it('E2 get every event at least once and in order, whenever the process is killed', async (t) => {
    const { start } = await startProcess(t)
    const receiver = await startReceiver(t)
    let gateway = await start()
    await addWebhook(gateway.api, receiver.url)
    const session = await openSession(gateway.api)
    const perLife = 20
    for (let life = 1; life <= 3; life += 1) {
      for (let nth = 0; nth < perLife; nth += 1) {
        await send(gateway.api, session, `${life}-${nth}`, respondAsync)
      }
      // In the middle of it.
      const before = receiver.taken.length
      await until('some deliveries', () => receiver.taken.length > before + 3)
      await gateway.kill()
      gateway = await start()
    }
    await send(gateway.api, session, 'the last')
    await until('the last', () => sentTexts(receiver).includes('the last'))

    const sequences = sequencesOf(receiver.taken, session.id)
    assert.deepEqual(sequences, upTo(sequences.length))
    const accepted = receiver.taken.filter(({ body }) => body.type === 'message.accepted')
    assert.equal(new Set(accepted.map(({ id }) => id)).size, 3 * perLife + 1)
  })

  it('E2 go on where they were: retries, attempts and secrets outlive the process', async (t) => {
    const { start } = await startProcess(t)
    const receiver = await startReceiver(t, { usually: answers(503, {}) })
    const first = await start()
    const webhook = await addWebhook(first.api, receiver.url)
    await createSession(first.api)
    const failing = await failingAfter(first.api, webhook, 1)
    await first.kill()

    const second = await start()
    const after = await deliveriesOf(second.api, webhook)
    assert.equal(after.failing.eventId, failing.eventId)
    assert.equal(after.attempts.length, after.failing.attempts)
    receiver.usually(receiver.takes)
    await second.api('POST', `/v1/webhooks/${webhook.id}/replay`, { from: failing.eventId })
    const [taken] = await receiver.took(1)
    assert.equal(taken?.id, failing.eventId)
  })

  it('E2 lose nothing when the process stops while a receiver hangs, and do not hold it up', async (t) => {
    const { start } = await startProcess(t)
    const receiver = await startReceiver(t, { usually: hangs })
    const first = await start()
    const webhook = await addWebhook(first.api, receiver.url)
    const session = await createSession(first.api)
    await receiver.arrived(1)
    const stopped = await first.stop()
    assert.equal(stopped.code, 0)
    assert.ok(stopped.tookMs < 4500, `${stopped.tookMs} ms`)

    receiver.usually(receiver.takes)
    const second = await start()
    await receiver.took(1)
    assert.equal(receiver.taken[0]?.body.subject, session.id)
    const { attempts } = await deliveriesOf(second.api, webhook)
    // What we broke off is no failure of the receiver.
    assert.equal(attempts.at(-1).status, 204)
    assert.equal(attempts.at(-1).attempt, 1)
  })

  it('E2 lose nothing when the process is killed before they were ever answered', async (t) => {
    const { start } = await startProcess(t)
    const byApi = await startReceiver(t, { usually: hangs })
    const crm = await startReceiver(t, { usually: hangs })
    const environment = { CRM_WEBHOOK_URL: crm.url }
    const first = await start(environment)
    await addWebhook(first.api, byApi.url)
    const session = await createSession(first.api)
    for (const receiver of [byApi, crm]) await receiver.arrived(1)
    await first.kill()

    for (const receiver of [byApi, crm]) receiver.usually(receiver.takes)
    const second = await start(environment)
    await createSession(second.api)
    for (const receiver of [byApi, crm]) {
      const [taken] = await receiver.took(1)
      assert.equal(taken?.body.subject, session.id)
    }
  })

  it('E2 follow the settings: a URL that is gone gets nothing, a new one all from then on', async (t) => {
    const { start } = await startProcess(t)
    const old = await startReceiver(t)
    const next = await startReceiver(t)
    const byApi = await startReceiver(t)
    const first = await start({ CRM_WEBHOOK_URL: old.url })
    await addWebhook(first.api, byApi.url, { eventTypes: ['session.created'] })
    const one = await createSession(first.api)
    await old.took(1)
    await first.stop()

    const second = await start({ CRM_WEBHOOK_URL: next.url })
    const two = await createSession(second.api)
    const known = old.seen.length
    await until('both', () => next.taken.some(({ body }) => body.subject === two.id))
    assert.ok(
      next.taken.every(({ body }) => body.type !== 'session.created' || body.subject === two.id),
    )
    assert.equal(old.seen.length, known)
    const { items } = (await second.api('GET', '/v1/webhooks')).body
    assert.deepEqual(
      new Set(items.map(({ url }: { url: string }) => url)),
      new Set([next.url, byApi.url]),
    )
    const created = await byApi.took(2)
    assert.deepEqual(
      created.map(({ body }) => body.subject),
      [one.id, two.id],
    )
  })

  it('are gone for good once removed, at once even when they hang', async (t) => {
    const { start } = await startProcess(t)
    const removed = await startReceiver(t, { usually: hangs })
    const kept = await startReceiver(t)
    const first = await start()
    const webhook = await addWebhook(first.api, removed.url)
    await addWebhook(first.api, kept.url)
    await createSession(first.api)
    await removed.arrived(1)
    const began = performance.now()
    assert.equal((await first.api('DELETE', `/v1/webhooks/${webhook.id}`)).status, 204)
    assert.ok(performance.now() - began < 4500)
    assert.equal((await first.api('GET', `/v1/webhooks/${webhook.id}`)).status, 404)
    await first.kill()

    const second = await start()
    const session = await createSession(second.api)
    await until('the other has it', () =>
      kept.taken.some(({ body }) => body.subject === session.id),
    )
    assert.equal(removed.seen.length, 1)
    assert.equal((await second.api('GET', '/v1/webhooks')).body.items.length, 1)
  })
})
