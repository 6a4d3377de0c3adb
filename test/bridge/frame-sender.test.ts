import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UpstreamError } from '../../src/errors.ts'
import { dialects } from '../../src/genesys/dialects/index.ts'
import type { Landed } from '../../src/sessions/carrier.ts'
import type { Evidence } from '../../src/sessions/late-truth.ts'
import { fullestWindow } from '../genesys/support/windows.ts'
import { until } from '../support/until.ts'
import { startBridge } from './support/bridge.ts'
import { pass, passUntil } from './support/moving-time.ts'
import type { ServerSocket } from './support/socket-server.ts'
import {
  echo,
  isMessage,
  refusal,
  sessionResponse,
  tooManyRequests,
} from './support/web-messaging.ts'

const webMessaging = dialects['web-messaging']
const messagingGuests = dialects['messaging-guests']

/** How a flight ended: the upstream id, or the code and what is known of it. */
async function outcome(flown: Promise<Landed>) {
  const { landed, error } = await flown.then(
    (landed) => ({ landed, error: undefined }),
    (error: unknown) => ({ landed: undefined, error }),
  )
  if (landed) return landed.outcome.kind === 'sent' ? landed.outcome.upstreamId : landed.outcome
  assert.ok(error instanceof UpstreamError, String(error))
  return `${error.code}, ${error.fate}${error.retryable ? ', retryable' : ''}`
}

const texts = (socket: ServerSocket | undefined) =>
  (socket?.frames ?? []).filter(isMessage).map((frame) => frame.text ?? messageText(frame))

function messageText(frame: Record<string, unknown>): unknown {
  return (frame.message as { text: string }).text
}

describe('an ack that does not come', { concurrency: 4 }, () => {
  it('leaves its message in doubt, and the next one goes over a new connection', async (t) => {
    const { bridge, server, time, carry, open } = await startBridge(t)
    server.onFrame = (socket, frame) => {
      if (isMessage(frame) && frame.text !== 'lost') socket.send({ type: 'ack', messageId: 'm-2' })
    }
    void bridge.start()
    await open()
    const lost = carry('lost')
    await until('it is there', () => texts(server.sockets[0]).length === 1)
    await pass(time, 10_000)
    assert.equal(await outcome(lost), 'upstream-timeout, unknown')
    assert.equal(await outcome(carry('next')), 'm-2')
    assert.deepEqual(server.sockets.map(texts), [['lost'], ['next']])
  })

  it('does not pass for the next message’s when it comes late, where there is one connection only', async (t) => {
    const confirmed: Evidence[] = []
    const { bridge, server, time, session, carry, open } = await startBridge(t, {
      dialect: messagingGuests,
      confirm: async (_id, evidence) => confirmed.push(evidence) > 0,
    })
    void bridge.start()
    await open()
    const socket = await server.socket(0)
    const lost = carry('lost')
    await until('it is there', () => texts(socket).length === 1)
    await pass(time, 10_000)
    assert.equal(await outcome(lost), 'upstream-timeout, unknown')

    const next = carry('next')
    await pass(time, 9_000)
    assert.deepEqual(texts(socket), ['lost'])
    socket.send({ type: 'ack', messageId: 'm-1' })
    socket.send({ type: 'ack', messageId: 'm-1' })
    await until('what it tells', () => confirmed.length > 0)
    assert.deepEqual(
      confirmed.map(({ upstreamId, key }) => [upstreamId, key?.slice(0, 4)]),
      [['m-1', 'msg_']],
    )
    await pass(time, 2_000)
    await until('the next is there', () => texts(socket).length === 2)
    socket.send({ type: 'ack', messageId: 'm-2' })
    assert.equal(await outcome(next), 'm-2')
    assert.equal((await session()).state, 'active')
  })

  it('costs only its own message where acks name theirs', async (t) => {
    const { bridge, server, time, carry, open } = await startBridge(t, { dialect: webMessaging })
    let late: object | undefined
    server.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') socket.send(sessionResponse())
      else if (messageText(frame) === 'lost') late = echo(frame, 'id-1')
      else if (late) {
        socket.send(late)
        socket.send(echo(frame, 'id-2'))
      }
    }
    void bridge.start()
    await open()
    const lost = carry('lost')
    await until('it is there', () => late)
    await pass(time, 10_000)
    assert.equal(await outcome(lost), 'upstream-timeout, unknown')
    assert.equal(await outcome(carry('next')), 'id-2')
    assert.equal(server.sockets.length, 1)
  })

  it('is of no use twice', async (t) => {
    const { bridge, server, carry, open } = await startBridge(t)
    let acked = 0
    server.onFrame = (socket, frame) => {
      if (!isMessage(frame)) return
      acked += 1
      for (let copy = 0; copy < 3; copy += 1) socket.send({ type: 'ack', messageId: `m-${acked}` })
    }
    void bridge.start()
    await open()
    for (const number of [1, 2, 3]) assert.equal(await outcome(carry(`${number}`)), `m-${number}`)
  })
})

describe('a connection that ends with a message on it', { concurrency: 4 }, () => {
  it('leaves it in doubt and does not send it again', async (t) => {
    const { bridge, server, carry, open } = await startBridge(t)
    server.onFrame = ({ ws, send }, frame) => {
      if (!isMessage(frame)) return
      if (frame.text === 'in flight') ws.terminate()
      else send({ type: 'ack', messageId: 'm-2' })
    }
    void bridge.start()
    await open()
    assert.equal(await outcome(carry('in flight')), 'upstream-error, unknown')
    assert.equal(await outcome(carry('next')), 'm-2')
    assert.deepEqual(server.sockets.map(texts), [['in flight'], ['next']])
  })

  it('takes nothing that had not left, also while it is only being closed', async (t) => {
    const { bridge, server, time, carry, open } = await startBridge(t)
    let acked = 0
    server.onFrame = ({ send }, frame) => {
      if (isMessage(frame)) send({ type: 'ack', messageId: `m-${++acked}` })
    }
    void bridge.start()
    await open()
    const { ws } = await server.socket(0)
    // It has said goodbye and does not hang up.
    ws.pause()
    ws.close(1001)
    await pass(time, 1)
    const flown = ['one', 'two'].map((text) => outcome(carry(text)))
    assert.deepEqual(await Promise.all(flown), ['m-1', 'm-2'])
    assert.deepEqual(server.sockets.map(texts), [[], ['one', 'two']])
  })

  it('keeps messages waiting until there is another, in their order', async (t) => {
    const { bridge, server, carry, open } = await startBridge(t)
    let acked = 0
    server.onFrame = ({ send }, frame) => {
      if (isMessage(frame)) send({ type: 'ack', messageId: `m-${++acked}` })
    }
    void bridge.start()
    await open()
    server.admit = (dial) => (dial < 3 ? { status: 503 } : undefined)
    const { ws } = await server.socket(0)
    ws.terminate()
    await until('it is down', () => !bridge.isOpen)
    const flown = ['one', 'two', 'three'].map((text) => outcome(carry(text)))
    assert.deepEqual(await Promise.all(flown), ['m-1', 'm-2', 'm-3'])
    assert.deepEqual(texts(server.sockets.at(-1)), ['one', 'two', 'three'])
  })

  it('fails a message that waited for one in vain, as something that did not leave', async (t) => {
    const { bridge, server, time, carry } = await startBridge(t)
    server.admit = () => ({ status: 503 })
    void bridge.start()
    const waiting = carry('patient', 30_000)
    await pass(time, 29_000)
    assert.equal(waiting.left(), false)
    await pass(time, 2_000)
    assert.equal(await outcome(waiting), 'upstream-unavailable, refused, retryable')
  })

  it('fails messages that wait when the session ends', async (t) => {
    const { bridge, server, carry } = await startBridge(t)
    server.admit = () => ({ status: 404 })
    const waiting = carry('too late')
    void bridge.start()
    assert.equal(await outcome(waiting), 'session-closed, refused')
  })
})

describe('a message the platform refuses', { concurrency: 4 }, () => {
  const refusing = async (
    t: Parameters<typeof startBridge>[0],
    answer: (frame: Record<string, unknown>, attempt: number) => object,
  ) => {
    const under = await startBridge(t, { dialect: webMessaging })
    let attempts = 0
    const at: number[] = []
    under.server.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') return socket.send(sessionResponse())
      at.push(under.time.now())
      socket.send(answer(frame, ++attempts))
    }
    void under.bridge.start()
    await under.open()
    return { ...under, at }
  }

  it('for coming too fast leaves again when the platform said, with nothing else in between', async (t) => {
    const { time, carry, at } = await refusing(t, (frame, attempt) =>
      attempt === 1 ? tooManyRequests(frame, 7) : echo(frame, `id-${attempt}`),
    )
    const one = carry('one')
    const two = carry('two')
    await pass(time, 9_000)
    // Both had left before the first was refused, or the second waited for the pause as well.
    assert.match(String(await outcome(one)), /^id-/)
    assert.match(String(await outcome(two)), /^id-/)
    assert.ok((at.at(-1) ?? 0) - (at[0] ?? 0) >= 7_000)
  })

  it('for coming too fast is given up when there is no time to wait for it', async (t) => {
    const { carry } = await refusing(t, (frame) => tooManyRequests(frame, 600))
    const error = await carry('one', 5_000).catch((error: unknown) => error)
    assert.ok(error instanceof UpstreamError)
    assert.deepEqual(
      [error.code, error.fate, error.retryable, error.retryAfterMs],
      ['rate-limited', 'refused', true, 600_000],
    )
  })

  for (const code of [500, 503, 504, 408, 5000]) {
    it(`for a passing reason (${code}) leaves again`, async (t) => {
      const { time, carry, at } = await refusing(t, (frame, attempt) =>
        attempt < 3 ? refusal(frame, code) : echo(frame, 'id-3'),
      )
      const one = carry('one')
      await until('the first', () => at.length === 1)
      await pass(time, 30_000)
      assert.equal(await outcome(one), 'id-3')
      assert.equal(at.length, 3)
    })
  }

  it('for a passing reason is given up after four times', async (t) => {
    const { time, carry, at } = await refusing(t, (frame) => refusal(frame, 5000))
    const one = carry('one')
    await until('the first', () => at.length === 1)
    await pass(time, 60_000)
    assert.equal(await outcome(one), 'upstream-error, refused, retryable')
    assert.equal(at.length, 4)
  })

  for (const [code, expected] of [
    [400, 'upstream-rejected, refused'],
    [4011, 'message-too-large, refused'],
    [409, 'session-closed, refused'],
  ] as const) {
    it(`for good (${code}) does not leave again`, async (t) => {
      const { carry, at } = await refusing(t, (frame) => refusal(frame, code))
      assert.equal(await outcome(carry('one')), expected)
      assert.equal(at.length, 1)
    })
  }
})

describe('the pace of a connection', { concurrency: 4 }, () => {
  it('never exceeds five messages a second or sixty requests a minute, first frames and typing included', async (t) => {
    const { bridge, server, time, carry, open } = await startBridge(t, { dialect: webMessaging })
    const messages: number[] = []
    const requests: number[] = []
    const typing: number[] = []
    server.onFrame = (socket, frame) => {
      requests.push(time.now())
      if (frame.action === 'configureSession') return socket.send(sessionResponse())
      if ((frame.message as { type: string }).type === 'Event') return typing.push(time.now())
      messages.push(time.now())
      socket.send(echo(frame, `id-${messages.length}`))
    }
    void bridge.start()
    await open()
    const { ws } = await server.socket(0)
    let sent = 0
    const all = (async () => {
      for (; sent < 130; sent += 1) await carry(`m${sent}`, 600_000)
    })()
    while (sent < 130) {
      void bridge.type({ action: 'onMessage', message: { type: 'Event' } }).catch(() => undefined)
      for (let step = 0; step < 10; step += 1) {
        await pass(time, 50, 50)
        // What left by now has arrived, so that it is stamped with the time it left at.
        const pong = new Promise((resolve) => ws.once('pong', resolve))
        ws.ping()
        await pong
      }
    }
    await all
    assert.equal(messages.length, 130)
    assert.ok(typing.length > 5, `typed ${typing.length} times`)
    assert.ok(fullestWindow(messages, 1_000) <= 5)
    assert.ok(fullestWindow(requests, 60_000) <= 60)
    assert.ok(fullestWindow(typing, 5_000) <= 1)
  })

  it('counts requests of each connection and messages of the guest', async (t) => {
    const { bridge, server, time, carry, open } = await startBridge(t, { dialect: webMessaging })
    const messages: number[] = []
    const requests: number[][] = []
    server.onOpen = () => requests.push([])
    server.onFrame = (socket, frame) => {
      requests.at(-1)?.push(time.now())
      if (frame.action === 'configureSession') return socket.send(sessionResponse())
      messages.push(time.now())
      socket.send(echo(frame, `id-${messages.length}`))
    }
    const cut = async () => {
      server.sockets.at(-1)?.ws.terminate()
      await until('it is down', () => !bridge.isOpen)
      await passUntil(time, () => bridge.isOpen, 2_000)
    }
    const say = async (count: number, atMostMs: number) => {
      let done = 0
      const all = Array.from({ length: count }, (_, at) => carry(`m${at}`, 600_000))
      for (const each of all) void each.then(() => (done += 1))
      return passUntil(time, () => done === count, atMostMs)
    }
    void bridge.start()
    await open()
    await say(58, 20_000)
    await cut()
    // Another 58 in the same minute: 60 requests are of one connection only.
    assert.ok((await say(58, 40_000)) < 20_000)
    for (let round = 0; round < 4; round += 1) {
      await cut()
      await say(4, 5_000)
    }
    assert.equal(messages.length, 132)
    assert.ok(fullestWindow(messages, 1_000) <= 5)
    for (const each of requests) assert.ok(fullestWindow(each, 60_000) <= 60)
  })

  it('is no reason to keep the other side waiting for the sign that the guest types', async (t) => {
    const { bridge, server, open } = await startBridge(t, { dialect: webMessaging })
    server.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') socket.send(sessionResponse())
    }
    void bridge.start()
    await open()
    const typing = { action: 'onMessage', token: 'fake-token', message: { type: 'Event' } }
    for (let key = 0; key < 20; key += 1) await bridge.type(typing)
    const { frames, ws } = await server.socket(0)
    const pong = new Promise((resolve) => ws.once('pong', resolve))
    ws.ping()
    await pong
    assert.equal(frames.filter(({ action }) => action === 'onMessage').length, 1)
  })

  it('cannot be kept without a connection: typing is refused then', async (t) => {
    const { bridge, server } = await startBridge(t)
    server.admit = () => ({ status: 503 })
    void bridge.start()
    await assert.rejects(bridge.type({ type: 'typing' }), { code: 'upstream-unavailable' })
  })
})
