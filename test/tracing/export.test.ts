import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { openSocket } from '../support/session-socket.ts'
import { openSession, respondAsync, send } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { answers } from '../support/toxic-upstream.ts'
import { addWebhook } from '../webhooks/support/destination.ts'
import { startReceiver } from '../webhooks/support/receiver.ts'
import { type CollectedSpan, type Collector, startCollector } from './support/collector.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const callerSpan = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${callerSpan}-01`
const operation = 'external-guests.sendMessage'

function exportTo({ url }: Collector): Record<string, string> {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: url, WEBHOOK_ALLOW_PRIVATE: 'true' }
}

function only(spans: readonly CollectedSpan[], name: string, parent?: string): CollectedSpan {
  const found = spans.filter(
    (span) => span.name === name && (parent === undefined || span.parentId === parent),
  )
  assert.equal(found.length, 1, `${name} is there ${found.length} times`)
  return found[0] as CollectedSpan
}

describe('Spans', { concurrency: 4 }, () => {
  it('show a message as one trace: from its request over two attempts to the webhook', async (t) => {
    const collector = await startCollector(t)
    const { api, simulator } = await startTestGateway(t, { environment: exportTo(collector) })
    const receiver = await startReceiver(t)
    const session = await openSession(api)
    await addWebhook(api, receiver.url, { eventTypes: ['message.sent'] })
    simulator.control.received.clear()
    simulator.control.faults.add({ kind: 'status', status: 503, count: 1, operation })
    const answer = await send(api, session, 'Where is my order?', { traceparent })
    assert.equal(answer.body.status, 'sent')
    const [taken] = await receiver.took(1)
    await collector.collected('POST webhook')
    await collector.collected('POST sendMessage', 2)

    const spans = collector.spans.filter((span) => span.traceId === traceId)
    const server = only(spans, 'POST /v1/sessions/:sessionId/messages', callerSpan)
    assert.equal(server.kind, 'server')
    assert.equal(server.failed, false)
    assert.deepEqual(server.attributes, {
      'http.request.method': 'POST',
      'http.route': '/v1/sessions/:sessionId/messages',
      'url.scheme': 'http',
      'url.path': `/v1/sessions/${session.id}/messages`,
      'network.protocol.version': '1.1',
      'http.response.status_code': 201,
    })

    const delivery = only(spans, 'deliver message', server.spanId)
    assert.equal(delivery.attributes['gateway.message.id'], answer.body.id)
    assert.equal(delivery.attributes['gateway.session.id'], session.id)
    assert.equal(delivery.attributes['gateway.message.attempts'], 2)
    assert.equal(delivery.attributes['gateway.quota.wait_ms'], 0)

    const attempts = spans.filter(({ name }) => name === 'POST sendMessage')
    assert.deepEqual(
      attempts.map(({ parentId, kind, failed, attributes }) => ({
        parentId,
        kind,
        failed,
        status: attributes['http.response.status_code'],
        error: attributes['error.type'],
        resent: attributes['http.request.resend_count'],
      })),
      [
        { status: 503, error: '503', failed: true, resent: undefined },
        { status: 201, error: undefined, failed: false, resent: 1 },
      ].map((each) => ({ ...each, parentId: delivery.spanId, kind: 'client' })),
    )
    // What went out names the very spans.
    assert.deepEqual(
      simulator.control.received.list(operation).map(({ headers }) => headers.traceparent),
      attempts.map(({ spanId }) => `00-${traceId}-${spanId}-01`),
    )

    const webhook = only(spans, 'POST webhook', delivery.spanId)
    assert.equal(taken?.headers.traceparent, `00-${traceId}-${webhook.spanId}-01`)
    assert.equal(webhook.attributes['http.response.status_code'], 204)
    assert.equal(webhook.attributes['cloudevents.event_type'], 'message.sent')
  })

  it('of a stream are its dial, in the trace of the session, and each frame, in that of its message', async (t) => {
    const collector = await startCollector(t)
    const { api } = await startTestGateway(t, { environment: exportTo(collector) })
    const session = await openSession(
      (method, path, body, headers) =>
        api(method, path, body, method === 'POST' ? { ...headers, traceparent } : headers),
      { dialect: 'web-messaging' },
    )
    await send(api, session, 'Hello')
    const [frame] = await collector.collected('send frame')
    const dial = (await collector.collected('dial stream'))[0]
    assert.equal(dial?.traceId, traceId)
    assert.equal(dial.attributes['network.protocol.name'], 'websocket')
    assert.equal(dial.attributes['gateway.session.id'], session.id)
    const delivery = (await collector.collected('deliver message'))[0]
    assert.notEqual(frame?.traceId, traceId)
    assert.equal(frame?.parentId, delivery?.spanId)
    assert.equal(frame?.failed, false)
  })

  it('begin with the frame of a client of the WebSocket', async (t) => {
    const collector = await startCollector(t)
    const { api, url } = await startTestGateway(t, { environment: exportTo(collector) })
    const session = await openSession(api, { dialect: 'web-messaging' })
    const reader = await openSocket(`${url}/v1/sessions/${session.id}/ws`)
    t.after(() => reader.ws.terminate())
    reader.say({ type: 'message', id: 'mine-1', text: 'Hello' })
    const [received] = await collector.collected('receive frame')
    const [delivery] = await collector.collected('deliver message')
    assert.equal(received?.parentId, '')
    assert.equal(delivery?.parentId, received?.spanId)
  })

  it('say how long a message stood in line for the quota', async (t) => {
    const collector = await startCollector(t)
    const { api } = await startTestGateway(t, {
      environment: { ...exportTo(collector), GENESYS_RATE_LIMIT: '3/1s' },
    })
    const session = await openSession(api)
    const sent = await Promise.all(
      [1, 2, 3, 4].map((number) => send(api, session, `${number}`, respondAsync)),
    )
    assert.ok(sent.every(({ status }) => status === 202))
    const waits = (await collector.collected('deliver message', 4)).map(({ attributes }) =>
      Number(attributes['gateway.quota.wait_ms']),
    )
    assert.ok(Math.max(...waits) > 100, String(waits))
  })

  it('are not made for a caller who chose so, whose trace goes on all the same', async (t) => {
    const collector = await startCollector(t)
    const { api, simulator } = await startTestGateway(t, { environment: exportTo(collector) })
    const session = await openSession(api)
    simulator.control.received.clear()
    const unsampled = traceparent.replace(/01$/, '00')
    await send(api, session, 'Hello', { traceparent: unsampled, tracestate: 'a=1' })
    const [sent] = simulator.control.received.list(operation)
    assert.match(String(sent?.headers.traceparent), new RegExp(`^00-${traceId}-[0-9a-f]{16}-00$`))
    assert.equal(sent?.headers.tracestate, 'a=1')
    await send(api, session, 'Hello again')
    await collector.collected('deliver message')
    assert.ok(collector.spans.every((span) => span.traceId !== traceId))
  })

  it('hold nothing personal and nothing secret', async (t) => {
    const collector = await startCollector(t)
    const { api, url } = await startTestGateway(t, { environment: exportTo(collector) })
    const receiver = await startReceiver(t)
    const query = '?key=fake-webhook-secret'
    await addWebhook(api, `${receiver.url}/canary-path${query}`, {
      headers: { 'x-key': 'fake-webhook-key' },
    })
    for (const dialect of ['external-guests', 'web-messaging']) {
      const session = await openSession(api, {
        dialect,
        guest: {
          id: 'ada.lovelace@example.com',
          name: 'Ada Lovelace',
          email: 'ada.lovelace@example.com',
          attributes: { plan: 'Lovelace-plan' },
        },
      })
      await send(api, session, 'A canary text')
      const path = `/v1/sessions/${session.id}`
      await fetch(`${url}${path}/ws?token=canary-token`)
      await api('GET', '/v1/sessions/ada.lovelace@example.com?name=Lovelace')
      await api('GET', '/v1/ada.lovelace@example.com')
      await api('DELETE', path)
    }
    await receiver.took(6)
    await collector.collected('DELETE /v1/sessions/:sessionId', 2)
    const all = Buffer.concat(collector.bytes).toString('latin1')
    assert.match(all, /deliver message/)
    assert.doesNotMatch(all, /lovelace|canary|fake-|test-admin-key|Bearer/i)
  })

  it('are flushed when the process stops, named by its settings, and never delay it', async (t) => {
    const collector = await startCollector(t)
    const { simulator } = await startTestGateway(t)
    const gateway = await startGatewayProcess(
      t,
      temporaryFolder(t),
      settingsFor(simulator, {
        ...exportTo(collector),
        OTEL_SERVICE_NAME: 'guests-of-shop',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=fake-tenant',
      }),
    )
    await send(gateway.api, await openSession(gateway.api), 'Hello')
    const { code } = await gateway.stop()
    assert.equal(code, 0)
    const [delivery] = await collector.collected('deliver message')
    assert.equal(delivery?.resource['service.name'], 'guests-of-shop')
    assert.equal(collector.posts[0]?.['x-tenant'], 'fake-tenant')
  })
})

describe('A collector that does not answer', { concurrency: 2 }, () => {
  it('costs one warning and no message', async (t) => {
    const refusing = await startReceiver(t, { usually: answers(400) })
    const { api, gateway, logs } = await startTestGateway(t, {
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: refusing.url },
    })
    const session = await openSession(api)
    for (const text of ['one', 'two']) {
      const before = refusing.seen.length
      assert.equal((await send(api, session, text)).body.status, 'sent')
      await refusing.arrived(before + 1)
    }
    const warnings = logs.filter((line) => line.includes('spans cannot be exported'))
    assert.equal(warnings.length, 1)
    // While somebody still answers: what cannot be reached is tried again for seconds.
    await gateway[Symbol.asyncDispose]()
  })

  it('holds up neither requests nor the stop', async (t) => {
    const { simulator } = await startTestGateway(t)
    const gateway = await startGatewayProcess(
      t,
      temporaryFolder(t),
      // Nobody listens there.
      settingsFor(simulator, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }),
    )
    const session = await openSession(gateway.api)
    assert.equal((await send(gateway.api, session, 'Hello')).body.status, 'sent')
    const { code, tookMs } = await gateway.stop()
    assert.equal(code, 0)
    assert.ok(tookMs < 4000, `${tookMs} ms`)
  })
})
