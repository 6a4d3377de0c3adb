import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { openSession, send } from '../support/sessions.ts'
import { after, answers } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { addWebhook, allowPrivate, failingAfter } from './support/destination.ts'
import { sequencesOf, startReceiver } from './support/receiver.ts'

describe('A replay', () => {
  it('brings that event and all after it once more, in order', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const webhook = await addWebhook(api, receiver.url)
    const session = await openSession(api)
    await send(api, session, 'one')
    await until('all', () => receiver.taken.at(-1)?.body.type === 'message.sent')
    const ids = receiver.taken.map(({ id }) => id)

    const path = `/v1/webhooks/${webhook.id}/replay`
    const answered = await api('POST', path, { from: ids[1] })
    assert.equal(answered.status, 202)
    assert.equal(answered.body.id, webhook.id)
    const taken = await receiver.took(2 * ids.length - 1)
    assert.deepEqual(
      taken.map(({ id }) => id),
      [...ids, ...ids.slice(1)],
    )
  })

  it('is not undone by the answer to what was on its way', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const webhook = await addWebhook(api, receiver.url)
    const session = await openSession(api)
    const opened = await until(
      'two events',
      () => receiver.taken.length >= 2 && receiver.taken.length,
    )
    const release = Promise.withResolvers<void>()
    receiver.queue(after(release.promise, receiver.takes))
    await send(api, session, 'one')
    await receiver.arrived(opened + 1)

    const [first] = receiver.taken
    await api('POST', `/v1/webhooks/${webhook.id}/replay`, { from: first?.id })
    release.resolve()
    const sent = () => receiver.taken.at(-1)?.body.type === 'message.sent'
    await until('all again', () => receiver.taken.length > opened + 2 && sent())
    const again = receiver.taken.slice(opened + 1)
    assert.deepEqual(
      again.map(({ body }) => body.sequence),
      upTo(again.length),
    )
  })

  it('tries at once what waits to be retried, and skips nothing', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const watching = await startReceiver(t)
    await addWebhook(api, watching.url)
    const receiver = await startReceiver(t, { usually: answers(500, {}) })
    const webhook = await addWebhook(api, receiver.url)
    const session = await openSession(api)
    await failingAfter(api, webhook, 1)
    const [, later] = await watching.took(2)
    receiver.usually(receiver.takes)
    await api('POST', `/v1/webhooks/${webhook.id}/replay`, { from: later?.id })
    await receiver.took(2)
    assert.deepEqual(sequencesOf(receiver.taken, session.id).slice(0, 2), [1, 2])
  })

  it('is refused for an event that is not kept', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const { id } = await addWebhook(api, 'https://hooks.invalid/')
    for (const from of ['evt_0193b2a1-7c3d-7e4f-8000-000000000001', '', 'nonsense']) {
      const problem = assertProblem(
        await api('POST', `/v1/webhooks/${id}/replay`, { from }),
        'invalid-request',
      )
      assert.equal(problem.errors[0].pointer, '/from')
    }
  })
})
