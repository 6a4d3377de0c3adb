import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { type Api, createSession, openSession, send } from '../support/sessions.ts'
import { until } from '../support/until.ts'
import { addWebhook, allowPrivate } from '../webhooks/support/destination.ts'
import { startReceiver } from '../webhooks/support/receiver.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
const operation = 'external-guests.sendMessage'

async function timelineOf(api: Api, { id }: { id: string }, query = '') {
  const { status, body } = await api('GET', `/v1/sessions/${id}/timeline${query}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body
}

describe('getTimeline', { concurrency: 4 }, () => {
  it('tells every step with its times, who asked, the outcome, the ids and the trace', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'status', status: 503, count: 1, operation })
    const sent = (await send(api, session, 'Hello', { traceparent })).body
    simulator.control.faults.add({ kind: 'status', status: 400, count: 1, operation })
    await send(api, session, 'Refused')
    await api('DELETE', `/v1/sessions/${session.id}`)

    const { items, nextCursor } = await timelineOf(api, session)
    assert.equal(nextCursor, null)
    assert.deepEqual(
      items.map(({ sequence, type }: { sequence: number; type: string }) => [sequence, type]),
      [
        [1, 'session.created'],
        [2, 'session.activated'],
        [3, 'message.accepted'],
        [4, 'message.sent'],
        [5, 'message.accepted'],
        [6, 'message.failed'],
        [7, 'session.closed'],
      ],
    )
    for (const [index, step] of items.entries()) {
      assert.match(step.eventId, /^evt_/)
      const before = items[index - 1]
      const since = before ? Date.parse(step.at) - Date.parse(before.at) : step.sincePreviousMs
      assert.equal(step.sincePreviousMs, since)
      assert.ok(step.sinceCreatedMs >= (before?.sinceCreatedMs ?? 0))
    }
    const [created, activated, , delivered, , failed, closed] = items
    assert.equal(created.actor, 'admin')
    assert.equal(created.session.state, 'pending')
    assert.equal(created.session.conversationId, session.conversationId)
    assert.equal(activated.actor, null)
    assert.equal(activated.session.state, 'active')
    assert.equal(delivered.traceId, traceId)
    assert.equal(delivered.messageId, sent.id)
    const { sinceAcceptedMs, ...facts } = delivered.message
    assert.ok(sinceAcceptedMs >= sent.latencyMs)
    assert.deepEqual(facts, {
      direction: 'outbound',
      author: 'bot',
      status: 'sent',
      attempts: 2,
      latencyMs: sent.latencyMs,
      upstreamId: sent.upstreamId,
      upstreamStatus: sent.upstreamStatus,
      parts: null,
      error: null,
    })
    assert.equal(failed.message.error.code, 'upstream-rejected')
    assert.equal(failed.message.error.upstreamStatus, 400)
    assert.equal(closed.session.closeReason, 'closed by the caller')
    assert.deepEqual(closed.deliveries, [])
  })

  it('tells of streams that broke and came back, and of what the other side said', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api, { dialect: 'web-messaging' })
    await send(api, session, 'Hello')
    const [socket] = simulator.control.sockets.list()
    const conversation = simulator.control.conversation(socket?.subject ?? '')
    simulator.control.say(conversation?.id ?? '', { text: 'Good morning' })
    await until('it was heard', async () => {
      const { items } = await timelineOf(api, session)
      return items.some(({ type }: { type: string }) => type === 'message.received')
    })
    simulator.control.sockets.drop()
    const steps = await until('it is open again', async () => {
      const { items } = await timelineOf(api, session)
      const opened = items.filter(({ type }: { type: string }) => type === 'session.stream_opened')
      return opened.length === 2 && items
    })
    const lost = steps.find(({ type }: { type: string }) => type === 'session.stream_lost')
    assert.equal(lost.session.streamState, 'reconnecting')
    assert.equal(lost.session.reconnects, 1)
    const heard = steps.find(({ type }: { type: string }) => type === 'message.received')
    assert.equal(heard.message.direction, 'inbound')
    assert.equal(heard.traceId, null)
  })

  it('tells what was tried to deliver each event to webhooks', async (t) => {
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    const webhook = await addWebhook(api, receiver.url, { eventTypes: ['message.sent'] })
    const session = await openSession(api)
    await send(api, session, 'Hello')
    await receiver.took(1)
    const step = await until('it was noted', async () => {
      const { items } = await timelineOf(api, session)
      const found = items.find(({ type }: { type: string }) => type === 'message.sent')
      return found.deliveries.length > 0 && found
    })
    const [{ at, sinceStepMs, durationMs, ...tried }] = step.deliveries
    assert.deepEqual(tried, { webhookId: webhook.id, attempt: 1, status: 204 })
    assert.equal(sinceStepMs, Date.parse(at) - Date.parse(step.at))
    assert.ok(durationMs >= 0)
  })

  it('comes in pages that give the whole, each step measured from the one before', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    for (const text of ['one', 'two', 'three']) await send(api, session, text)
    const { items: whole } = await timelineOf(api, session)
    const read = []
    for (let query: string | null = '?limit=3'; query !== null; ) {
      const page = await timelineOf(api, session, query)
      assert.ok(page.items.length <= 3)
      read.push(...page.items)
      query = page.nextCursor && `?limit=3&cursor=${page.nextCursor}`
    }
    assert.deepEqual(read, whole)
    assert.equal(whole.length, 8)
    const exact = await timelineOf(api, session, '?limit=8')
    assert.equal(exact.nextCursor, null)
  })

  it('refuses a cursor of another list', async (t) => {
    const { api } = await startTestGateway(t)
    const [one, two] = [await openSession(api), await openSession(api)]
    const { nextCursor } = await timelineOf(api, one, '?limit=1')
    const route = `/v1/sessions/${two.id}/timeline?cursor=${nextCursor}`
    assertProblem(await api('GET', route), 'invalid-request')
    assertProblem(
      await api('GET', `/v1/sessions/${two.id}/timeline?cursor=junk`),
      'invalid-request',
    )
  })

  it('answers session-not-found for a session there is not', async (t) => {
    const { api } = await startTestGateway(t)
    assertProblem(await api('GET', '/v1/sessions/gs_unknown/timeline'), 'session-not-found')
  })

  it('holds nothing of what was said and nothing of who the guest is', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const operations = { kind: 'status', status: 400, count: 1, operation } as const
    const guest = {
      id: 'canary-id@example.com',
      name: 'Canary Name',
      email: 'canary@example.com',
      locale: 'en-US',
      attributes: { plan: 'canary-plan' },
    }
    for (const dialect of ['external-guests', 'web-messaging']) {
      const metadata = { externalSessionId: 'canary-external' }
      const session = await createSession(api, { dialect, guest, metadata })
      await api('GET', `/v1/sessions/${session.id}?wait=active&timeoutMs=5000`)
      await send(api, session, 'A canary text')
      // The platform's refusal says again what was said.
      simulator.control.faults.add({ ...operations, body: { message: 'no canary text here' } })
      if (dialect === 'external-guests') await send(api, session, 'Another canary text')
      const { items } = await timelineOf(api, session)
      assert.ok(items.length >= 3)
      assert.doesNotMatch(JSON.stringify(items), /canary/i)
    }
  })
})
