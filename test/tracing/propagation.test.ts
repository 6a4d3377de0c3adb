import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startOn, startPlatform } from '../bridge/support/platform.ts'
import { echo, refusal, sessionResponse } from '../bridge/support/web-messaging.ts'
import { type Answer, startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { openSocket } from '../support/session-socket.ts'
import { type Api, openSession, respondAsync, retry, send, settled } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { addWebhook, allowPrivate } from '../webhooks/support/destination.ts'
import { startReceiver } from '../webhooks/support/receiver.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const otherId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
const other = `00-${otherId}-b7ad6b7169203331-00`
const tracestate = 'rojo=00f067aa0ba902b7, congo=t61rcWkgMzE'
const operation = 'external-guests.sendMessage'

const idOf = (header: unknown) => String(header).slice(3, 35)
const spanOf = (header: unknown) => String(header).slice(36, 52)

function traced(api: Api, headers: Record<string, string>): Api {
  return (method, path, body, more) => api(method, path, body, { ...headers, ...more })
}

describe('A trace over REST', { concurrency: 4 }, () => {
  async function sending(t: Parameters<typeof startTestGateway>[0], options = {}) {
    const gateway = await startTestGateway(t, options)
    const session = await openSession(gateway.api)
    gateway.simulator.control.received.clear()
    const sent = () =>
      gateway.simulator.control.received.list(operation).map(({ headers }) => headers)
    return { ...gateway, session, sent }
  }

  it('is the same in every attempt of a message, each a span of its own', async (t) => {
    const { api, simulator, session, sent, logs } = await sending(t)
    simulator.control.faults.add({ kind: 'status', status: 503, count: 2, operation })
    const answer = await send(api, session, 'Hello', { traceparent, tracestate })
    assert.equal(answer.body.attempts, 3)
    assert.deepEqual(
      sent().map((headers) => [idOf(headers.traceparent), headers.tracestate]),
      Array(3).fill([traceId, tracestate]),
    )
    const spans = sent().map((headers) => spanOf(headers.traceparent))
    assert.equal(new Set([...spans, spanOf(traceparent)]).size, 4)
    const line = logs.find((text) => text.includes('"msg":"message.sent"'))
    assert.equal(JSON.parse(line ?? '{}').traceId, traceId)
  })

  it('is made where none, or none that can be used, was given, and is the same in every attempt', async (t) => {
    const { api, simulator, session, sent } = await sending(t)
    simulator.control.faults.add({ kind: 'status', status: 503, count: 1, operation })
    await send(api, session, 'Hello')
    const [one, two] = sent().map((headers) => idOf(headers.traceparent))
    assert.match(String(one), /^[0-9a-f]{32}$/)
    assert.equal(one, two)
    for (const bad of ['junk', traceparent.toUpperCase(), `${traceparent}, ${traceparent}`]) {
      simulator.control.received.clear()
      await send(api, session, 'Hello', { traceparent: bad, tracestate })
      const [headers] = sent()
      assert.match(String(headers?.traceparent), /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
      assert.ok(![traceId, one].includes(idOf(headers?.traceparent)), bad)
      assert.equal(headers?.tracestate, undefined)
    }
  })

  it('goes on without a tracestate that is over the limits', async (t) => {
    const { api, session, sent } = await sending(t)
    await send(api, session, 'Hello', { traceparent, tracestate: `a=${'v'.repeat(300)}` })
    assert.deepEqual(
      sent().map((headers) => [idOf(headers.traceparent), headers.tracestate]),
      [[traceId, undefined]],
    )
  })

  it('of whoever has a message sent again is that of the new attempt', async (t) => {
    const { api, simulator, session, sent } = await sending(t)
    simulator.control.faults.add({ kind: 'status', status: 400, count: 1, operation })
    await send(api, session, 'Hello', { traceparent })
    const [failed] = (await api('GET', `/v1/sessions/${session.id}/messages`)).body.items
    await retry(api, session, failed.id, { traceparent: other })
    assert.deepEqual(
      sent().map((headers) => idOf(headers.traceparent)),
      [traceId, otherId],
    )
  })

  it('is one for all messages of a batch', async (t) => {
    const { api, session, sent } = await sending(t)
    const lines = ['one', 'two'].map((text) => JSON.stringify({ sessionId: session.id, text }))
    await api('POST', '/v1/messages/batch', lines.join('\n'), {
      'content-type': 'application/x-ndjson',
    })
    const ids = sent().map((headers) => idOf(headers.traceparent))
    assert.equal(ids.length, 2)
    assert.equal(new Set(ids).size, 1)
  })

  it('of a creation is that of its guest, of the questions about it, and of its activation', async (t) => {
    const { api, url, simulator } = await startTestGateway(t, {
      simulator: { activationMs: 300 },
    })
    const session = await openSession(traced(api, { traceparent }))
    const asked = simulator.control.received
      .list('external-guests')
      .map(({ operation, headers }) => [operation.split('.')[1], idOf(headers.traceparent)])
    assert.deepEqual(asked[0], ['createGuest', traceId])
    assert.ok(asked.length > 1)
    assert.ok(
      asked.every(([, id]) => id === traceId),
      JSON.stringify(asked),
    )
    const reader = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    const events = await reader.first(2)
    reader.close()
    assert.deepEqual(
      events.map(({ data: { type, traceparent: kept } }) => [type, kept]),
      [
        ['session.created', traceparent],
        ['session.activated', traceparent],
      ],
    )
  })

  it('of who registers a webhook on the platform is that of both calls it takes', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const asked = { name: 'CRM', url: 'https://crm.example/hook' }
    await api('POST', '/v1/upstream/webhooks', asked, { traceparent, 'x-request-id': 'mine' })
    const calls = simulator.control.received
      .list()
      .filter(({ path }) => path.endsWith('/webhooks'))
      .map(({ method, headers }) => [method, idOf(headers.traceparent), headers['x-request-id']])
    assert.deepEqual(calls, [
      ['GET', traceId, 'mine'],
      ['POST', traceId, 'mine'],
    ])
  })

  it('outlives the process: what a restart sends is in the trace of its message', async (t) => {
    const { simulator } = await startTestGateway(t)
    const folder = temporaryFolder(t)
    const first = await startGatewayProcess(t, folder, settingsFor(simulator))
    const session = await openSession(first.api)
    simulator.control.received.clear()
    const fault = simulator.control.faults.add({ kind: 'status', status: 503, operation })
    const headers = { ...respondAsync, traceparent, tracestate }
    const { body } = await send(first.api, session, 'Hello', headers)
    await until('it was tried', () => simulator.control.received.list(operation).length > 0)
    await until('it is in line', async () => {
      const { status } = (await first.api('GET', `/v1/sessions/${session.id}/messages/${body.id}`))
        .body
      return status === 'accepted'
    })
    await first.kill()
    simulator.control.faults.remove(fault.id)
    simulator.control.received.clear()
    const second = await startGatewayProcess(t, folder, settingsFor(simulator))
    assert.equal((await settled(second.api, session, body.id)).status, 'sent')
    const [sent] = simulator.control.received.list(operation)
    assert.equal(idOf(sent?.headers.traceparent), traceId)
    assert.equal(sent?.headers.tracestate, tracestate)
  })
})

describe('A trace over web-messaging’s socket', { concurrency: 4 }, () => {
  const dialect = 'web-messaging'

  it('is at the end of each tracingId, and messages still know their acks', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    let echoed = 0
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') socket.send(sessionResponse())
      else socket.send(echo(frame, `id-${++echoed}`))
    }
    const session = await openSession(traced(api, { traceparent: other, tracestate }), { dialect })
    const texts = ['one', 'two', 'three']
    // All in one trace, and each answered by its own echo.
    const answers: Answer[] = await Promise.all(
      texts.map((text) => send(api, session, text, { traceparent })),
    )
    assert.deepEqual(
      answers.map(({ body }) => [body.status, body.upstreamId]).sort(),
      texts.map((_, index) => ['sent', `id-${index + 1}`]),
    )
    await api('POST', `/v1/sessions/${session.id}/typing`, undefined, { traceparent })
    await api('DELETE', `/v1/sessions/${session.id}`, undefined, { traceparent: other })
    const ids = () => platform.sockets[0]?.frames.map(({ tracingId }) => String(tracingId)) ?? []
    await until('the goodbye', () => ids().length === 6)
    assert.equal(new Set(ids()).size, 6)
    assert.deepEqual(
      ids().map((id) => id.slice(-32)),
      [otherId, traceId, traceId, traceId, traceId, otherId],
    )
    // The handshake belongs to whoever made the session.
    const { headers } = platform.sockets[0]?.request ?? {}
    assert.equal(idOf(headers?.traceparent), otherId)
    assert.equal(headers?.tracestate, tracestate)
  })

  it('is the same in a frame that leaves again', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    let said = 0
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') socket.send(sessionResponse())
      else if (++said === 1) socket.send(refusal(frame, 503))
      else socket.send(echo(frame, 'id-1'))
    }
    const session = await openSession(api, { dialect })
    const { body } = await send(api, session, 'Hello', { traceparent })
    assert.equal(body.status, 'sent')
    const frames = platform.sockets[0]?.frames.filter(({ action }) => action === 'onMessage') ?? []
    assert.equal(frames.length, 2)
    for (const { tracingId } of frames) assert.equal(String(tracingId).slice(-32), traceId)
  })

  it('begins with each message of a client of our own WebSocket, or goes on from its handshake', async (t) => {
    const { api, url, simulator } = await startTestGateway(t, {
      environment: { GENESYS_FRAME_INTERVAL_MS: '0' },
    })
    const session = await openSession(api, { dialect })
    const address = `${url}/v1/sessions/${session.id}/ws`
    const plain = (await openSocket(address)).endWith(t)
    const withTrace = (await openSocket(address, { headers: { traceparent } })).endWith(t)
    const frames = () =>
      simulator.control.received
        .list('web-messaging.connect.frame')
        .map(({ body }) => body as { action: string; tracingId: string })
        .filter(({ action }) => action === 'onMessage')
    plain.say({ type: 'message', id: 'a', text: 'one' })
    plain.say({ type: 'message', id: 'b', text: 'two' })
    await until('two frames', () => frames().length === 2)
    withTrace.say({ type: 'message', id: 'c', text: 'three' })
    await until('three frames', () => frames().length === 3)
    const ids = frames().map(({ tracingId }) => tracingId.slice(-32))
    assert.equal(new Set(ids).size, 3)
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/)
    assert.equal(ids[2], traceId)
  })
})

describe('A trace in events and webhooks', { concurrency: 4 }, () => {
  it('is that of the request, in every event of it and every try to deliver one', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment: allowPrivate })
    const receiver = await startReceiver(t)
    await addWebhook(api, receiver.url)
    const session = await openSession(traced(api, { traceparent: other }))
    simulator.control.faults.add({ kind: 'status', status: 503, count: 1, operation })
    await send(api, session, 'Hello', { traceparent, tracestate })
    await api('DELETE', `/v1/sessions/${session.id}`, undefined, { traceparent: other })
    const taken = await receiver.took(5)
    assert.deepEqual(
      taken.map(({ headers, body }) => [
        body.type,
        idOf(headers.traceparent),
        headers.tracestate,
        body.traceparent,
        body.tracestate,
      ]),
      [
        ['session.created', otherId, undefined, other, undefined],
        ['session.activated', otherId, undefined, other, undefined],
        ['message.accepted', traceId, tracestate, traceparent, tracestate],
        ['message.sent', traceId, tracestate, traceparent, tracestate],
        ['session.closed', otherId, undefined, other, undefined],
      ],
    )
  })
})
