import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GatewayError } from '../../src/errors.ts'
import { dialects } from '../../src/genesys/dialects/index.ts'
import { until } from '../support/until.ts'
import { said, startBridge } from './support/bridge.ts'
import { collectGarbage } from './support/garbage.ts'
import { pass } from './support/moving-time.ts'

const webMessaging = dialects['web-messaging']
const messagingGuests = dialects['messaging-guests']
const sessionResponse = {
  type: 'response',
  class: 'SessionResponse',
  code: 200,
  body: { connected: true, newSession: true },
}

describe('a bridge that opens', { concurrency: 4 }, () => {
  it('G7: says the handshake first, and a message no sooner than the pace allows', async (t) => {
    const { bridge, server, carry, open } = await startBridge(t, { frameIntervalMs: 100 })
    const arrivals: number[] = []
    server.onFrame = (socket, frame) => {
      arrivals.push(performance.now())
      if (frame.type === 'message') socket.send({ type: 'ack', messageId: `m-${arrivals.length}` })
    }
    void bridge.start()
    await open()
    await Promise.all([carry('one'), carry('two'), carry('three')])
    const { frames, request } = await server.socket(0)
    assert.deepEqual(
      frames.map((frame) => frame.text ?? frame.type),
      ['handshake', 'one', 'two', 'three'],
    )
    assert.match(String(request.url), /^\/guest\?access_token=fake-access$/)
    // A busy machine may hand over a frame late and the next one in time, so the gaps are looked at together.
    const tookMs = (arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)
    assert.ok(tookMs >= 220, `four frames in ${tookMs} ms`)
  })

  it('activates the session and says once that the stream is open, however often it is told', async (t) => {
    const { bridge, server, session, count, events } = await startBridge(t, {
      dialect: webMessaging,
    })
    server.onOpen = (socket) => {
      for (let again = 0; again < 3; again += 1) socket.send(sessionResponse)
    }
    void bridge.start()
    await until('it is open', () => bridge.isOpen)
    const socket = await server.socket(0)
    socket.send({ ...sessionResponse, body: { connected: true } })
    socket.send(outbound('after that'))
    await until('what came after', () => count('message.received'))
    assert.deepEqual(
      (await events()).map(({ type }) => type),
      ['session.created', 'session.activated', 'session.stream_opened', 'message.received'],
    )
    assert.deepEqual((await session()).stream, { state: 'open', reconnects: 0 })
  })

  it('dials again when the answer that opens it is lost', async (t) => {
    const { bridge, server, time, open } = await startBridge(t, { dialect: webMessaging })
    server.onFrame = (socket) => {
      if (server.sockets.length > 1) socket.send(sessionResponse)
    }
    void bridge.start()
    await server.socket(0)
    await pass(time, 11_000)
    await open()
    assert.equal(server.sockets.length, 2)
    await until('the first is closed', () => server.sockets[0]?.closed)
  })

  it('says that it is reconnecting when it broke while the opening was written down', async (t) => {
    const { bridge, server, session, count, shut, events } = await startBridge(t)
    server.admit = (dial) => (dial > 0 ? { status: 503 } : undefined)
    shut(true)
    void bridge.start()
    const { ws } = await server.socket(0)
    ws.terminate()
    await until('it is down', () => server.sockets[0]?.closed)
    shut(false)
    await until('it dials again', () => server.dials.length > 1)
    const types = (await events()).map(({ type }) => type)
    assert.equal((await session()).stream.state, 'reconnecting', types.join())
    assert.equal(bridge.isOpen, false)
    assert.equal(await count('session.stream_lost'), await count('session.stream_opened'))
  })
})

describe('a bridge whose platform talks nonsense', { concurrency: 4 }, () => {
  const nonsense: [string, string | Buffer][] = [
    ['no JSON', '{"type":"message",'],
    ['nothing', ''],
    ['a number', '7'],
    ['null', 'null'],
    ['a list', '[{"text":"hidden"}]'],
    ['binary', Buffer.from('{"type":"message","text":"binary"}')],
    ['a type that is an object', '{"type":{"toString":1},"class":{"toString":1}}'],
    [
      'an event that is no word',
      '{"class":"StructuredMessage","code":200,"body":{"events":[{"eventType":{"toString":1}}]}}',
    ],
    [
      'metadata that is no word',
      '{"class":"StructuredMessage","code":200,"body":{"metadata":{"readOnly":{"toString":1}},"events":[{"eventType":"Typing"}]}}',
    ],
    ['a key of every object', '{"__proto__":{"type":"message"},"constructor":7,"code":"200"}'],
    ['half a megabyte', JSON.stringify({ class: 'Novel', body: 'x'.repeat(500_000) })],
    ['depth', `${'['.repeat(5_000)}${']'.repeat(5_000)}`],
  ]
  for (const [name, frame] of nonsense) {
    it(`passes over ${name}, before and after it is open`, async (t) => {
      for (const dialect of [dialects['guest-sessions'], webMessaging]) {
        const { bridge, server, received, session } = await startBridge(t, { dialect })
        server.onOpen = (socket) => {
          socket.send(frame)
          socket.send(sessionResponse)
          socket.send(frame)
          socket.send(dialect === webMessaging ? outbound('still here') : said('still here'))
        }
        void bridge.start()
        await until('the sound frame', async () => (await received()).includes('still here'))
        assert.deepEqual(await received(), ['still here'])
        assert.equal((await session()).state, 'active')
        assert.equal(server.sockets.length, 1)
      }
    })
  }

  it('dials again after a frame that is too large to take in', async (t) => {
    const { bridge, server, received } = await startBridge(t)
    server.onOpen = (socket) => {
      const first = server.sockets.length === 1
      socket.send(first ? said('x'.repeat(2 * 1024 * 1024)) : said('small'))
    }
    void bridge.start()
    await until('the small one', async () => (await received()).length > 0)
    assert.deepEqual(await received(), ['small'])
  })
})

describe('a bridge whose platform talks much', { concurrency: 2 }, () => {
  it('takes 300 messages at once, each once and in order', async (t) => {
    const { bridge, server, received } = await startBridge(t)
    const texts = Array.from({ length: 300 }, (_, at) => `m${at}`)
    server.onOpen = (socket) => {
      for (const [at, text] of texts.entries()) socket.send(said(text, 1_700_000_000 + at))
    }
    void bridge.start()
    await until('all of them', async () => (await received()).length >= 300)
    assert.deepEqual(await received(), texts)
  })

  it('stops reading while its own store stands still, and loses nothing by that', async (t) => {
    const { bridge, server, store, id, received, shut, open } = await startBridge(t)
    void bridge.start()
    await open()
    const { ws, send } = await server.socket(0)
    shut(true)
    const filler = 'x'.repeat(4_000)
    let sent = 0
    // As much as the platform gets rid of, and then some that stays with it.
    await until('the platform has to wait', () => {
      for (let more = 0; more < 200; more += 1, sent += 1) {
        send({ ...said(`m${sent}`, 1_700_000_000 + sent), filler })
      }
      return ws.bufferedAmount > 4_000_000
    })
    assert.deepEqual(await received(), [])
    shut(false)
    const count = async () => (await store.findSession(id))?.messages.inbound ?? 0
    await until('all of them', async () => (await count()) === sent, 30_000)
    const { items } = await store.listMessages(id, { limit: 1000 })
    assert.deepEqual(
      items.map(({ text }) => text),
      Array.from({ length: items.length }, (_, at) => `m${at}`),
    )
  })

  it('keeps what comes while the store takes nothing, and writes it down once it does', async (t) => {
    const { bridge, server, time, received, disk, open } = await startBridge(t)
    void bridge.start()
    await open()
    disk.full = true
    const texts = ['one', 'two', 'three']
    const { send, ws } = await server.socket(0)
    for (const [at, text] of texts.entries()) send(said(text, 1_700_000_000 + at))
    await pass(time, 3_000)
    ws.close(1001)
    await until('it is down', () => !bridge.isOpen)
    assert.deepEqual(await received(), [])
    disk.full = false
    await pass(time, 3_000)
    await until('all of them', async () => (await received()).length === 3)
    assert.deepEqual(await received(), texts)
    await open()
  })

  it('keeps nothing of 100,000 frames that say nothing new', async (t) => {
    const { bridge, server, received, open } = await startBridge(t)
    void bridge.start()
    await open()
    const { ws, send } = await server.socket(0)
    const frames = [
      said('the same'),
      { type: 'typing', senderId: 'agent-7' },
      { type: 'novel', payload: 'x'.repeat(100) },
      { type: 'ack', messageId: 'of nobody' },
      { type: 'conversationMetadata', event: 'agentJoined' },
    ]
    const heapAfter = async (count: number) => {
      for (let at = 0; at < count; at += 1) {
        send(frames[at % frames.length] ?? '')
        if (ws.bufferedAmount > 1_000_000)
          await until('there is room', () => ws.bufferedAmount === 0)
      }
      send(said(`after ${count}`))
      await until('the last one', async () => (await received()).includes(`after ${count}`))
      collectGarbage()
      return process.memoryUsage().heapUsed
    }
    const before = await heapAfter(5_000)
    const after = await heapAfter(95_000)
    assert.deepEqual(await received(), ['the same', 'after 5000', 'after 95000'])
    assert.ok(after - before < 30_000_000, `the heap grew by ${(after - before) / 1e6} MB`)
  })

  it('has written down all it took in when it stops', async (t) => {
    const { bridge, server, received, shut, open } = await startBridge(t)
    void bridge.start()
    await open()
    shut(true)
    const { send, ws } = await server.socket(0)
    for (let at = 0; at < 50; at += 1) send(said(`m${at}`, 1_700_000_000 + at))
    const pong = new Promise((resolve) => ws.once('pong', resolve))
    ws.ping()
    await pong
    const stopped = bridge.stop()
    shut(false)
    await stopped
    assert.equal((await received()).length, 50)
  })
})

describe('a bridge that loses its connection', { concurrency: 4 }, () => {
  it('notices within ten seconds that the link is half open, and dials again', async (t) => {
    const { bridge, server, time, session, count, open } = await startBridge(t)
    void bridge.start()
    await open()
    const { ws } = await server.socket(0)
    ws.pause()
    await pass(time, 10_000)
    await until('the second socket', () => server.sockets.length === 2)
    await open()
    assert.deepEqual((await session()).stream, { state: 'open', reconnects: 1 })
    assert.equal(await count('session.stream_lost'), 1)
    assert.equal(await count('session.stream_opened'), 2)
  })

  it('dials less and less often while a platform hangs up on every connection', async (t) => {
    const { bridge, server, time } = await startBridge(t)
    server.onOpen = ({ ws }) => ws.close(1001)
    void bridge.start()
    await server.socket(0)
    await pass(time, 60_000, 250)
    // It is tried again and again; without waits that grow it would be hundreds of times.
    assert.ok(server.dials.length > 4 && server.dials.length < 40, `${server.dials.length} dials`)
  })

  it('comes back soon after a connection that held', async (t) => {
    const { bridge, server, time, open } = await startBridge(t)
    void bridge.start()
    for (let round = 0; round < 8; round += 1) {
      const { ws } = await server.socket(round)
      await open()
      await pass(time, 15_000, 2_000)
      ws.close(1001)
      await until('it is down', () => !bridge.isOpen)
      await pass(time, 1_000)
    }
    await server.socket(8)
  })

  it('waits as long as a refused upgrade asks for', async (t) => {
    const { bridge, server, time, open } = await startBridge(t)
    server.admit = (dial) =>
      dial === 0 ? { status: 429, headers: { 'Retry-After': '20' } } : undefined
    void bridge.start()
    await until('the refusal', () => server.dials.length === 1)
    await pass(time, 19_000)
    assert.equal(server.dials.length, 1)
    await pass(time, 3_000)
    await open()
  })

  for (const status of [500, 502, 503, 504, 429]) {
    it(`dials again after an upgrade answered ${status}`, async (t) => {
      const { bridge, server, session, open } = await startBridge(t)
      server.admit = (dial) => (dial < 2 ? { status } : undefined)
      void bridge.start()
      await open()
      assert.equal(server.dials.length, 3)
      assert.equal((await session()).state, 'active')
    })
  }

  it('takes an upgrade answered 403 for final', async (t) => {
    const { bridge, server, session } = await startBridge(t, { dialect: webMessaging })
    server.admit = () => ({ status: 403 })
    void bridge.start()
    await until('the end', async () => (await session()).state === 'failed')
    const { closeReason, stream } = await session()
    assert.equal(closeReason, 'the platform refused the stream (403)')
    assert.equal(stream.state, 'closed')
    assert.equal(server.dials.length, 1)
  })

  it('rotates the token once after a 401, and takes a second one for final', async (t) => {
    let refreshed = 0
    const refresh = async () => {
      refreshed += 1
    }
    const { bridge, server, session } = await startBridge(t, { refresh })
    server.admit = () => ({ status: 401 })
    void bridge.start()
    await until('the end', async () => (await session()).state === 'failed')
    assert.equal((await session()).closeReason, 'the platform refused the stream (401)')
    assert.deepEqual([refreshed, server.dials.length], [1, 2])
  })

  it('tries again to rotate the token when that failed for a passing reason', async (t) => {
    let tries = 0
    const refresh = async () => {
      tries += 1
      if (tries < 3) throw new GatewayError('upstream-unavailable', 'down', { retryable: true })
    }
    const { bridge, server, session, open } = await startBridge(t, { refresh })
    server.admit = () => (tries < 3 ? { status: 401 } : undefined)
    void bridge.start()
    await open()
    assert.equal((await session()).state, 'active')
    assert.equal(tries, 3)
  })

  it('ends a session it could not connect for five minutes', async (t) => {
    const { bridge, server, time, session } = await startBridge(t)
    server.admit = () => ({ status: 503 })
    void bridge.start()
    await until('the first dial', () => server.dials.length > 0)
    await pass(time, 4 * 60_000)
    assert.equal((await session()).state, 'pending')
    // And the wait that is under way then, a minute at most.
    await pass(time, 130_000)
    await until('the end', async () => (await session()).state === 'failed')
    assert.equal((await session()).closeReason, 'stream-lost')
  })

  it('ends a session whose address nobody can dial, after the same time', async (t) => {
    const upstream = { guestSessionId: 'gs-1', websocketUrl: 'ftp://127.0.0.1/x', origin: null }
    const { bridge, time, session, troubles } = await startBridge(t, { session: { upstream } })
    void bridge.start()
    await until('the first trouble', () => troubles.length > 0)
    await pass(time, 6 * 60_000 + 10_000)
    await until('the end', async () => (await session()).state === 'failed')
    assert.doesNotMatch(troubles.join(), /fake-access/)
  })

  it('knows after a redial what it heard before', async (t) => {
    const { bridge, server, received } = await startBridge(t)
    server.onOpen = (socket) => {
      socket.send(said('first'))
      if (server.sockets.length === 1) socket.ws.close(1001)
      else socket.send(said('second'))
    }
    void bridge.start()
    await until('the second', async () => (await received()).includes('second'))
    assert.deepEqual(await received(), ['first', 'second'])
  })
})

describe('a bridge whose token opens one socket', { concurrency: 4 }, () => {
  it('G10: closes the session as stream-lost when the connection is lost', async (t) => {
    const { bridge, server, session, open } = await startBridge(t, { dialect: messagingGuests })
    void bridge.start()
    await open()
    const { ws } = await server.socket(0)
    ws.terminate()
    await until('the end', async () => (await session()).state === 'closed')
    assert.equal((await session()).closeReason, 'stream-lost')
    assert.equal(server.dials.length, 1)
  })

  it('dials again as long as no socket has been opened with it', async (t) => {
    const { bridge, server, session, open } = await startBridge(t, { dialect: messagingGuests })
    server.admit = (dial) => (dial < 2 ? { status: 503 } : undefined)
    void bridge.start()
    await open()
    assert.equal((await session()).state, 'active')
  })

  it('fails the session when the platform does not accept it', async (t) => {
    const { bridge, server, session } = await startBridge(t, { dialect: messagingGuests })
    server.admit = () => ({ status: 403 })
    void bridge.start()
    await until('the end', async () => (await session()).state === 'failed')
    assert.equal((await session()).closeReason, 'the platform refused the stream (403)')
    assert.equal(server.dials.length, 1)
  })
})

function outbound(text: string): object {
  const body = { id: `id of ${text}`, type: 'Text', direction: 'Outbound', text, metadata: {} }
  return { type: 'message', class: 'StructuredMessage', code: 200, body }
}
