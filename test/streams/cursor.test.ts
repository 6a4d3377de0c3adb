import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it } from 'node:test'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { readStore } from '../support/read-store.ts'
import { openSocket, refusedUpgrade, type SocketReader } from '../support/session-socket.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse, type SseReader } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'

/** Reads a session from a cursor on, by both kinds of stream; they end with the test. */
function readers({ url }: TestGateway, t: { after(end: () => void): void }) {
  return {
    async sse(session: { id: string }, query = '', headers = {}): Promise<SseReader> {
      const reader = await openSse(`${url}/v1/sessions/${session.id}/events${query}`, { headers })
      t.after(() => reader.close())
      return reader
    },
    async socket(session: { id: string }, query = ''): Promise<SocketReader> {
      return (await openSocket(`${url}/v1/sessions/${session.id}/ws${query}`)).endWith(t)
    },
  }
}

describe('The cursor of a session', () => {
  const gateway = sharedGateway()

  it('is the same for SSE and WebSocket, from 0 on everything', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    await send(api, session, 'one')
    await send(api, session, 'two')

    const { sse, socket } = readers(gateway(), t)
    const [bySse, bySocket] = [await sse(session, '?after=0'), await socket(session, '?after=0')]
    await send(api, session, 'three')
    const events = await bySse.first(8)
    assert.deepEqual(
      await bySocket.first(8),
      events.map(({ data }) => data),
    )

    assert.deepEqual(bySse.sequences, upTo(8))
    assert.deepEqual(bySse.types, [
      'session.created',
      'session.activated',
      ...['message.accepted', 'message.sent'],
      ...['message.accepted', 'message.sent'],
      ...['message.accepted', 'message.sent'],
    ])
    for (const { id, data } of events) {
      assert.equal(id, String(data.sequence))
      assert.equal(data.subject, session.id)
    }
  })

  it('resumes after Last-Event-ID and after ?after=', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    await send(api, session, 'one')

    const { sse, socket } = readers(gateway(), t)
    const resumed = [
      await sse(session, '', { 'last-event-id': '2' }),
      await sse(session, '?after=2'),
      await socket(session, '?after=2'),
    ]
    for (const reader of resumed) {
      await reader.first(2)
      assert.deepEqual(reader.sequences, [3, 4])
    }
  })

  it('is Last-Event-ID where the URL still says what a reader began with', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    await send(api, session, 'one')

    const reader = await readers(gateway(), t).sse(session, '?after=0', { 'last-event-id': '3' })
    await reader.first(1)
    await send(api, session, 'two')
    await reader.first(3)
    assert.deepEqual(reader.sequences, [4, 5, 6])
  })

  it('begins now where a reader gives none, and is told to it at once', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    await send(api, session, 'before')

    const { sse, socket } = readers(gateway(), t)
    const bySse = await sse(session)
    const bySocket = await socket(session)
    await until('the reader knows where it is', () => bySse.lastId === '4')
    assert.deepEqual(bySse.events, [])

    await send(api, session, 'after')
    await bySse.first(2)
    await bySocket.first(2)
    assert.deepEqual(bySse.sequences, [5, 6])
    assert.deepEqual(bySocket.sequences, [5, 6])
  })

  it('that no event has ends in stream.reset and all there is, not in silence', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    const { sse, socket } = readers(gateway(), t)
    const bySse = await sse(session, '?after=70')
    const bySocket = await socket(session, '?after=70')
    await bySse.first(3)
    await until('both have all', () => bySocket.frames.length >= 3)

    assert.deepEqual(bySse.types, ['stream.reset', 'session.created', 'session.activated'])
    assert.deepEqual(bySse.events[0]?.data.data, { oldest: 1 })
    assert.equal(bySse.events[0]?.id, undefined)
    assert.deepEqual(
      bySocket.frames.map(({ type }) => type),
      bySse.types,
    )
    await send(api, session, 'after')
    await bySse.first(5)
    assert.deepEqual(bySse.sequences, [1, 2, 3, 4])
  })

  for (const cursor of ['x', '-1', '1.5', '', '1e3', '9'.repeat(16)]) {
    it(`is refused when it is "${cursor}"`, async () => {
      const { url, api } = gateway()
      const session = await createSession(api)
      const events = `/v1/sessions/${session.id}/events`
      const query = `?after=${cursor}`
      assertProblem(await api('GET', events + query), 'invalid-request')
      assertProblem(
        await refusedUpgrade(`${url}/v1/sessions/${session.id}/ws${query}`),
        'invalid-request',
      )
      if (cursor === '') return
      const header = await api('GET', events, undefined, { 'last-event-id': cursor })
      assert.equal(
        assertProblem(header, 'invalid-request').errors[0].pointer,
        'header:last-event-id',
      )
    })
  }

  it('is asked for in vain where there is no session', async () => {
    const { api, url } = gateway()
    assertProblem(await api('GET', '/v1/sessions/gs_nobody/events?after=0'), 'session-not-found')
    assertProblem(await refusedUpgrade(`${url}/v1/sessions/gs_nobody/ws`), 'session-not-found')
  })

  it('lets HEAD look without opening a stream', async () => {
    const { api } = gateway()
    const session = await createSession(api)
    for (const route of [`/v1/sessions/${session.id}/events`, '/v1/events']) {
      const { status, headers } = await api('HEAD', route)
      assert.equal(status, 200)
      assert.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8')
    }
    const stats = await api('GET', '/v1/stats')
    assert.equal(stats.body.streams.downstream, 0)
  })
})

describe('What streams give', () => {
  it('is what the store has kept, byte for byte', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const gateway = await startTestGateway(t, { environment: { STORE: `sqlite:${file}` } })
    const { api, url } = gateway
    const session = await openSession(api)
    for (const text of ['ä', '\u2028', '"\\\n', '😀'.repeat(300)]) await send(api, session, text)
    const bySse = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    const bySocket = await openSocket(`${url}/v1/sessions/${session.id}/ws?after=0`)
    const events = (await bySse.first(10)).map(({ data }) => data)
    assert.deepEqual(await bySocket.first(10), events)
    await gateway.gateway[Symbol.asyncDispose]()

    await using store = await readStore(file)
    const kept = await store.eventsOf(session.id, 0, 100)
    assert.deepEqual(
      events.map(({ id, type, sequence, data }) => ({ id, type, sequence, data })),
      kept.map(({ id, type, sequence, data }) => ({ id, type, sequence, data: JSON.parse(data) })),
    )
  })
})
