import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import type { StreamOpening } from '../../src/genesys/dialect.ts'
import { Dialer, type StreamEnd } from '../../src/genesys/socket.ts'
import { until } from '../support/until.ts'
import { movingTime, pass } from './support/moving-time.ts'
import { startSocketServer } from './support/socket-server.ts'

async function start(t: TestContext) {
  const server = await startSocketServer(t)
  const time = movingTime()
  const dialer = new Dialer(time)
  t.after(() => {
    dialer[Symbol.dispose]()
    time.reset()
  })
  const ends: StreamEnd[] = []
  const frames: string[] = []
  let opened = 0
  const dial = (opening: Partial<StreamOpening> = {}) =>
    dialer.dial(
      { url: server.url, origin: null, frames: [], readyWhen: 'opened', ...opening },
      { sessionId: 'gs_1', trace: null },
      {
        opened: () => {
          opened += 1
        },
        frame: (text) => frames.push(text),
        ended: (end) => ends.push(end),
      },
    )
  const end = () => until('the end', () => ends[0])
  return { server, time, dialer, ends, frames, dial, end, isOpened: () => opened > 0 }
}

describe('a stream to the platform', () => {
  it('presents its origin and says its first frames first, in order', async (t) => {
    const { server, dial, isOpened } = await start(t)
    const socket = dial({ origin: 'https://shop.example', frames: [{ first: 1 }, { second: 2 }] })
    await until('it is open', isOpened)
    await socket.send('{"third":3}')
    const { request, frames } = await server.socket(0)
    await until('all frames', () => frames.length === 3)
    assert.deepEqual(frames, [{ first: 1 }, { second: 2 }, { third: 3 }])
    assert.equal(request.headers.origin, 'https://shop.example')
    assert.equal(request.headers['sec-websocket-extensions'], undefined)
  })

  it('sends no origin where it has none', async (t) => {
    const { server, dial } = await start(t)
    dial()
    const { request } = await server.socket(0)
    assert.equal(request.headers.origin, undefined)
  })

  it('tells a close by the platform with its code', async (t) => {
    const { server, dialer, dial, ends, end } = await start(t)
    dial()
    assert.equal(dialer.size, 1)
    const { ws } = await server.socket(0)
    ws.close(4123, 'enough')
    assert.deepEqual(await end(), { by: 'platform', code: 4123, reason: 'enough' })
    assert.equal(ends.length, 1)
    assert.equal(dialer.size, 0)
  })

  it('tells a connection that broke', async (t) => {
    const { server, dial, end } = await start(t)
    dial()
    const { ws } = await server.socket(0)
    ws.terminate()
    assert.notEqual((await end()).by, 'us')
  })

  it('tells a refused upgrade with its status and when to come back', async (t) => {
    const { server, dial, ends } = await start(t)
    const answers = [
      { status: 403 },
      { status: 429, headers: { 'Retry-After': '7' } },
      { status: 503, headers: { 'Retry-After': 'soon' } },
    ]
    server.admit = (at) => answers[at]
    for (const [at] of answers.entries()) {
      dial()
      await until('the refusal', () => ends[at])
    }
    assert.deepEqual(ends, [
      { by: 'refusal', status: 403, retryAfterMs: null },
      { by: 'refusal', status: 429, retryAfterMs: 7000 },
      { by: 'refusal', status: 503, retryAfterMs: null },
    ])
  })

  it('tells a host that is not there, without a token in what it says', async (t) => {
    const { dial, end } = await start(t)
    dial({ url: 'ws://127.0.0.1:1/?access_token=fake-secret-token' })
    const ended = await end()
    assert.equal(ended.by, 'network')
    assert.doesNotMatch(JSON.stringify(ended), /fake-secret-token/)
  })

  it('throws for an address nobody can dial, without a token in what it says', async (t) => {
    const { dial, dialer } = await start(t)
    for (const url of ['nowhere:?token=fake-1', 'ws://host/?token=fake-1#top', '?token=fake-1']) {
      assert.throws(
        () => dial({ url }),
        (error: Error) => !error.message.includes('fake-1'),
      )
    }
    assert.equal(dialer.size, 0)
  })

  it('gives up an upgrade that nobody answers, after twelve seconds at the latest', async (t) => {
    const { server, time, dial, ends, end } = await start(t)
    server.admit = () => 'hold'
    dial()
    await until('the dial', () => server.dials.length === 1)
    await pass(time, 7_000)
    assert.deepEqual(ends, [])
    await pass(time, 5_000)
    assert.deepEqual(await end(), { by: 'network', detail: 'the upgrade was not answered' })
  })

  it('notices within ten seconds that nothing comes back any more', async (t) => {
    const { server, time, dial, ends, end, isOpened } = await start(t)
    dial()
    await until('it is open', isOpened)
    await pass(time, 20_000)
    assert.deepEqual(ends, [])
    const { ws } = await server.socket(0)
    ws.pause()
    await pass(time, 10_000)
    assert.deepEqual(await end(), {
      by: 'network',
      detail: 'the link is dead: nothing came back',
    })
  })

  it('takes a frame for a sign of life', async (t) => {
    const { server, time, dial, ends, isOpened } = await start(t)
    dial()
    await until('it is open', isOpened)
    const { ws, send } = await server.socket(0)
    Object.assign(ws, { _autoPong: false })
    for (let second = 0; second < 20; second += 1) {
      send({ second })
      await pass(time, 1_000)
    }
    assert.deepEqual(ends, [])
  })

  it('does not hold its own pause against the platform', async (t) => {
    const { server, time, dial, ends, frames, isOpened } = await start(t)
    const socket = dial()
    await until('it is open', isOpened)
    socket.pause()
    const { send } = await server.socket(0)
    send({ waiting: true })
    await pass(time, 30_000)
    assert.deepEqual([ends, frames], [[], []])
    // The beat right after it reads again comes before any pong can have been read.
    socket.resume()
    time.advance(4_000)
    await until('what waited', () => frames.length === 1)
    assert.deepEqual(ends, [])
  })

  it('passes over binary frames and ends at a frame over a megabyte', async (t) => {
    const { server, dial, frames, end } = await start(t)
    dial()
    const { send } = await server.socket(0)
    send(Buffer.from('{"binary":true}'))
    send('{"text":true}')
    await until('the text', () => frames.length > 0)
    assert.deepEqual(frames, ['{"text":true}'])
    send('x'.repeat(1024 * 1024 + 1))
    assert.equal((await end()).by, 'network')
  })

  it('hears nothing of a connection it has given up', async (t) => {
    const { server, dial, frames, ends, isOpened } = await start(t)
    const socket = dial()
    await until('it is open', isOpened)
    const { ws, send } = await server.socket(0)
    socket.close()
    send({ late: true })
    await once(ws, 'close')
    assert.deepEqual(frames, [])
    assert.deepEqual(ends, [{ by: 'us' }])
  })

  it('knows when nothing can leave any more, and says so once', async (t) => {
    const { server, dial, ends, isOpened } = await start(t)
    const socket = dial()
    await until('it is open', isOpened)
    assert.equal(socket.canSend(), true)
    const { ws } = await server.socket(0)
    // The close frame is answered at once, and the connection ends only when the platform hangs up.
    ws.pause()
    ws.close(1001)
    await until('it is being closed', () => !socket.canSend())
    assert.equal(socket.canSend(), false)
    assert.equal(ends.length, 1)
    await assert.rejects(socket.send('{}'))
  })

  it('closes every connection when it stops', async (t) => {
    const { server, dialer, dial, ends, isOpened } = await start(t)
    dial()
    await until('it is open', isOpened)
    dialer[Symbol.dispose]()
    const socket = await server.socket(0)
    const closed = await until('the close', () => socket.closed)
    assert.equal(closed.code, 1000)
    assert.deepEqual(ends, [{ by: 'us' }])
  })
})
