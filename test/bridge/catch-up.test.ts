import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { InboundMessage, UpstreamAnswer } from '../../src/genesys/dialect.ts'
import { dialects } from '../../src/genesys/dialects/index.ts'
import type { Evidence } from '../../src/sessions/late-truth.ts'
import { readMissed } from '../../src/sessions/missed.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { byItself } from '../../src/sessions/steps.ts'
import { receivedTogether } from '../../src/sessions/stream-steps.ts'
import { fullestWindow } from '../genesys/support/windows.ts'
import { until } from '../support/until.ts'
import { type BridgeOptions, startBridge } from './support/bridge.ts'
import { pass, passUntil } from './support/moving-time.ts'
import { echo, jwtResponse, outbound, sessionResponse } from './support/web-messaging.ts'

const webMessaging = dialects['web-messaging']
const start = Date.UTC(2026, 2, 4, 9, 30)

interface Entity {
  id: string
  text: string
  channel: { time: string | null }
}

function heardBefore({ id, text }: Entity): InboundMessage {
  const said = { author: 'agent', text, content: null, sentAt: null } as const
  return { kind: 'message', upstreamId: id, ...said, attachments: [] }
}

/** A platform that keeps what was said, and tells it page by page, the newest first. */
async function startWithHistory(t: TestContext, options: BridgeOptions = {}) {
  const history = {
    entities: [] as Entity[],
    reads: [] as string[],
    /** Instead of the page. */
    answer: undefined as ((read: number) => UpstreamAnswer | undefined) | undefined,
    /** Reads are answered once it is resolved. */
    gate: Promise.resolve() as Promise<unknown>,
    asked: 0,
  }
  const read = async ({ path }: { path: string }, token: string): Promise<UpstreamAnswer> => {
    assert.equal(token, 'fake.jwt')
    const number = history.reads.push(path)
    const instead = history.answer?.(number)
    if (instead) return instead
    await history.gate
    const page = Number(new URL(path, 'http://platform').searchParams.get('pageNumber'))
    const newestFirst = history.entities.toReversed()
    const entities = newestFirst.slice((page - 1) * 25, page * 25)
    const pageCount = Math.ceil(newestFirst.length / 25)
    return { status: 200, body: { entities, pageNumber: page, pageCount }, malformed: false }
  }
  const under = await startBridge(t, {
    dialect: webMessaging,
    missed: (asker, session) => readMissed(asker, session, webMessaging, read, () => Date.now()),
    ...options,
  })
  const { server } = under
  server.onFrame = (socket, frame) => {
    if (frame.action === 'configureSession') socket.send(sessionResponse())
    if (frame.action === 'getJwt') {
      history.asked += 1
      socket.send(jwtResponse())
    }
  }
  const newest = () => server.sockets.at(-1)
  return {
    ...under,
    history,
    /** The other side says it; a socket that is open hears of it. */
    say: (text: string, seconds: number, { live = true } = {}) => {
      const frame = outbound(text, start + seconds * 1_000)
      history.entities.push(frame.body as Entity)
      if (live) newest()?.send(frame)
    },
    drop: async () => {
      newest()?.ws.terminate()
      await until('it is down', () => !under.bridge.isOpen)
    },
  }
}

describe('what was said while there was no stream', { concurrency: 4 }, () => {
  it('is heard after the next opening, once and in order', async (t) => {
    const { bridge, say, drop, received, open, history } = await startWithHistory(t)
    void bridge.start()
    await open()
    say('one', 1)
    await until('the first', async () => (await received()).length === 1)
    await drop()
    for (const seconds of [2, 3, 4]) say(`missed ${seconds}`, seconds, { live: false })
    await open()
    await until('the missed', async () => (await received()).length === 4)
    say('five', 5)
    await until('the last', async () => (await received()).includes('five'))
    assert.deepEqual(await received(), ['one', 'missed 2', 'missed 3', 'missed 4', 'five'])
    assert.equal(history.reads.length, 1)
  })

  it('is not asked for when the stream opens for the first time', async (t) => {
    const { bridge, say, received, open, history } = await startWithHistory(t)
    void bridge.start()
    await open()
    say('one', 1)
    await until('the first', async () => (await received()).length === 1)
    assert.equal(history.asked, 0)
  })

  it('stands before what is said while it is asked for', async (t) => {
    const { bridge, say, drop, received, open, history } = await startWithHistory(t)
    void bridge.start()
    await open()
    await drop()
    say('missed 1', 1, { live: false })
    say('missed 2', 2, { live: false })
    const gate = Promise.withResolvers<void>()
    history.gate = gate.promise
    await open()
    await until('the question', () => history.reads.length === 1)
    say('live 3', 3)
    say('live 4', 4)
    gate.resolve()
    await until('all', async () => (await received()).length === 4)
    assert.deepEqual(await received(), ['missed 1', 'missed 2', 'live 3', 'live 4'])
  })

  it('does not hold up what is said for more than five seconds', async (t) => {
    const { bridge, say, drop, received, open, history, time } = await startWithHistory(t)
    void bridge.start()
    await open()
    await drop()
    say('missed 1', 1, { live: false })
    const gate = Promise.withResolvers<void>()
    history.gate = gate.promise
    await open()
    await until('the question', () => history.reads.length === 1)
    say('live 2', 2)
    await pass(time, 6_000)
    await until('the live one', async () => (await received()).includes('live 2'))
    gate.resolve()
    await until('the missed one', async () => (await received()).includes('missed 1'))
    assert.equal((await received()).length, 2)
  })

  it('is read back to the first page that holds something known', async (t) => {
    const { bridge, say, drop, received, open, history } = await startWithHistory(t)
    void bridge.start()
    await open()
    for (let seconds = 0; seconds < 30; seconds += 1) say(`heard ${seconds}`, seconds)
    await until('those heard', async () => (await received()).length === 30)
    await drop()
    for (let seconds = 30; seconds < 70; seconds += 1) say(`m ${seconds}`, seconds, { live: false })
    await open()
    await until('those missed', async () => (await received()).length === 70)
    const expected = Array.from({ length: 70 }, (_, at) => (at < 30 ? `heard ${at}` : `m ${at}`))
    assert.deepEqual(await received(), expected)
    assert.equal(history.reads.length, 2)
  })

  it('is read to its end though something new is heard meanwhile', async (t) => {
    const { bridge, say, drop, received, open, history } = await startWithHistory(t)
    void bridge.start()
    await open()
    await drop()
    for (let seconds = 0; seconds < 40; seconds += 1) say(`m ${seconds}`, seconds, { live: false })
    const gate = Promise.withResolvers<void>()
    history.gate = gate.promise
    await open()
    await until('the question', () => history.reads.length === 1)
    for (let seconds = 40; seconds < 45; seconds += 1) say(`m ${seconds}`, seconds)
    gate.resolve()
    await until('all', async () => (await received()).length === 45)
    assert.deepEqual(
      await received(),
      Array.from({ length: 45 }, (_, at) => `m ${at}`),
    )
  })

  for (const [name, answer] of [
    ['a refusal', { status: 429, body: { message: 'slow down' }, malformed: false }],
    ['an outage', { status: 503, body: undefined, malformed: false }],
    ['nonsense', { status: 200, body: undefined, malformed: true }],
    ['a token that ran out', { status: 401, body: {}, malformed: false }],
  ] as const) {
    it(`is asked for again after ${name}`, async (t) => {
      const { bridge, say, drop, received, open, history, time } = await startWithHistory(t)
      history.answer = (read) => (read < 3 ? answer : undefined)
      void bridge.start()
      await open()
      await drop()
      say('missed', 1, { live: false })
      await open()
      await until('the first question', () => history.reads.length === 1)
      await pass(time, 15_000)
      await until('the missed', async () => (await received()).length === 1)
      assert.equal(history.reads.length, 3)
      assert.equal(history.asked, 3)
    })
  }

  it('is asked for again when the token for it does not come', async (t) => {
    const { bridge, server, say, drop, received, open, time } = await startWithHistory(t)
    const answer = server.onFrame
    let ignored = 0
    server.onFrame = (socket, frame) => {
      if (frame.action === 'getJwt' && ignored < 1) ignored += 1
      else answer(socket, frame)
    }
    void bridge.start()
    await open()
    await drop()
    say('missed', 1, { live: false })
    await open()
    await until('the first question', () => ignored === 1)
    await pass(time, 15_000)
    await until('the missed', async () => (await received()).length === 1)
  })

  it('is asked for on the next connection when the first breaks again', async (t) => {
    const { bridge, say, drop, received, open, history, troubles } = await startWithHistory(t)
    void bridge.start()
    await open()
    await drop()
    say('missed 1', 1, { live: false })
    const never = Promise.withResolvers<void>()
    history.gate = never.promise
    await open()
    await until('the question', () => history.reads.length === 1)
    await drop()
    history.gate = Promise.resolve()
    say('missed 2', 2, { live: false })
    await open()
    await until('both', async () => (await received()).length === 2)
    assert.deepEqual(await received(), ['missed 1', 'missed 2'])
    assert.deepEqual(troubles, [])
  })

  it('is read no more often than the platform allows, however often the stream breaks', async (t) => {
    const { bridge, time, say, drop, received, open, history } = await startWithHistory(t)
    const reads: number[] = []
    history.answer = () => {
      reads.push(time.now())
      return undefined
    }
    void bridge.start()
    await open()
    for (let breaks = 1; breaks <= 14; breaks += 1) {
      await drop()
      say(`missed ${breaks}`, breaks, { live: false })
      await passUntil(time, () => bridge.isOpen, 120_000)
      await pass(time, 500)
    }
    await passUntil(time, async () => (await received()).length === 14, 120_000)
    assert.deepEqual(
      await received(),
      Array.from({ length: 14 }, (_, at) => `missed ${at + 1}`),
    )
    assert.ok(fullestWindow(reads, 60_000) <= 10, `${fullestWindow(reads, 60_000)} reads`)
  })

  it('is read whole though that takes more pages than may be asked for in a minute', async (t) => {
    const { bridge, time, say, drop, received, open, history } = await startWithHistory(t)
    const reads: number[] = []
    history.answer = () => {
      reads.push(time.now())
      return undefined
    }
    void bridge.start()
    await open()
    await drop()
    const texts = Array.from({ length: 300 }, (_, at) => `missed ${at + 1}`)
    for (const [at, text] of texts.entries()) say(text, at, { live: false })
    await passUntil(time, () => bridge.isOpen, 2_000)
    await passUntil(time, async () => (await received()).length === 300, 120_000)
    assert.deepEqual(await received(), texts)
    assert.equal(reads.length, 12)
    assert.ok(fullestWindow(reads, 60_000) <= 10)
  })

  it('keeps its order where history has no times', async (t) => {
    const { bridge, drop, received, open, history } = await startWithHistory(t)
    void bridge.start()
    await open()
    await drop()
    for (const text of ['a', 'b', 'c']) {
      history.entities.push({
        ...(outbound(text, start).body as Entity),
        channel: { time: null },
      })
    }
    await open()
    await until('all', async () => (await received()).length === 3)
    assert.deepEqual(await received(), ['a', 'b', 'c'])
  })

  it('settles messages of ours whose echo was lost', async (t) => {
    const confirmed: Evidence[] = []
    const confirm = async (_id: string, evidence: Evidence) => confirmed.push(evidence) > 0
    const { bridge, drop, received, open, history } = await startWithHistory(t, { confirm })
    void bridge.start()
    await open()
    await drop()
    const time = new Date(start).toISOString()
    const own = { type: 'Text', direction: 'Inbound', text: 'Mine', channel: { time } }
    history.entities.push(
      { ...own, id: 'own-1', metadata: { id: 'gateway:message:msg_1:7' } } as Entity,
      { ...own, id: 'own-2', metadata: {} } as Entity,
    )
    await open()
    await until('both', () => confirmed.length === 2)
    assert.deepEqual(
      confirmed.toSorted((a, b) => a.upstreamId.localeCompare(b.upstreamId)),
      [
        { key: 'gateway:message:msg_1:7', text: null, upstreamId: 'own-1' },
        { key: null, text: 'Mine', upstreamId: 'own-2' },
      ],
    )
    assert.deepEqual(await received(), [])
  })

  it('settles a message that has just left, too, where the platform keeps no mark of ours', async (t) => {
    const { bridge, server, drop, received, open, history, carry } = await startWithHistory(t)
    const answer = server.onFrame
    const arrived = Promise.withResolvers<void>()
    server.onFrame = (socket, frame) => {
      answer(socket, frame)
      if (frame.action !== 'onMessage') return
      // Its echo is lost.
      history.entities.push(echo(frame, 'own').body as Entity)
      arrived.resolve()
    }
    void bridge.start()
    await open()
    await drop()
    history.gate = arrived.promise
    await open()
    const { outcome } = await carry('Mine')
    assert.equal(outcome.kind === 'sent' && outcome.upstreamId, 'own')
    assert.deepEqual(await received(), [])
  })

  it('is asked for after a restart too', async (t) => {
    const session = {
      state: 'active' as const,
      activatedAt: 1,
      stream: { state: 'open' as const, reconnects: 0 },
    }
    const { bridge, say, received, events, open } = await startWithHistory(t, { session })
    say('missed', 1, { live: false })
    void bridge.start()
    await open()
    await until('the missed', async () => (await received()).length === 1)
    const types = (await events()).map(({ type }) => type)
    assert.deepEqual(types.slice(-3), [
      'session.stream_lost',
      'session.stream_opened',
      'message.received',
    ])
  })

  it('is missed until it is learned, whatever is said after it meanwhile', async (t) => {
    const { bridge, say, drop, received, open, history, time } = await startWithHistory(t)
    void bridge.start()
    await open()
    say('one', 1)
    await until('the first', async () => (await received()).length === 1)
    await drop()
    for (const seconds of [2, 3]) say(`missed ${seconds}`, seconds, { live: false })
    history.answer = () => ({ status: 503, body: undefined, malformed: false })
    await open()
    for (let seconds = 10; seconds < 40; seconds += 1) say(`live ${seconds}`, seconds)
    await pass(time, 6_000)
    await until('the live ones', async () => (await received()).length === 31)
    await drop()
    history.answer = undefined
    await passUntil(time, () => bridge.isOpen, 2_000)
    await until('the missed', async () => (await received()).length === 33)
    assert.deepEqual((await received()).slice(-2), ['missed 2', 'missed 3'])
  })

  it('is missed until it is learned, also where the process is killed meanwhile', async (t) => {
    const session = {
      state: 'active' as const,
      activatedAt: 1,
      stream: { state: 'open' as const, reconnects: 1 },
      gapAfter: 1,
    }
    const { bridge, say, received, open, history, store, id } = await startWithHistory(t, {
      session,
    })
    say('one', 1, { live: false })
    say('missed', 2, { live: false })
    for (let seconds = 10; seconds < 40; seconds += 1) say(`live ${seconds}`, seconds)
    const heard = history.entities.filter(({ text }) => text !== 'missed')
    await new SessionRegistry(store).change(id, (current) =>
      receivedTogether(current, heard.map(heardBefore), byItself(start)),
    )
    void bridge.start()
    await open()
    await until('the missed', async () => (await received()).includes('missed'))
    assert.equal((await received()).length, 32)
  })

  it('is read past what the guest said: that may have arrived before what was said before it', async (t) => {
    const { bridge, server, say, drop, received, open, carry, history } = await startWithHistory(t)
    const answer = server.onFrame
    server.onFrame = (socket, frame) => {
      answer(socket, frame)
      if (frame.action !== 'onMessage') return
      const own = echo(frame, 'own')
      history.entities.push(own.body as Entity)
      socket.send(own)
    }
    void bridge.start()
    await open()
    say('one', 1)
    await until('the first', async () => (await received()).length === 1)
    say('never came', 2, { live: false })
    await carry('mine')
    await drop()
    for (let seconds = 10; seconds < 34; seconds += 1) {
      say(`missed ${seconds}`, seconds, { live: false })
    }
    await open()
    await until('all', async () => (await received()).length === 26)
    assert.ok((await received()).includes('never came'))
  })

  it('is over once it is written down: the next one begins where that ended', async (t) => {
    const { bridge, say, drop, received, open, history, session } = await startWithHistory(t)
    void bridge.start()
    await open()
    for (let seconds = 0; seconds < 30; seconds += 1) say(`heard ${seconds}`, seconds)
    await until('those heard', async () => (await received()).length === 30)
    for (const missed of ['a', 'b']) {
      await drop()
      say(missed, 40, { live: false })
      await open()
      await until('it is heard', async () => (await received()).includes(missed))
      await until('it is over', async () => (await session()).gapAfter === null)
    }
    assert.equal(history.reads.length, 2)
  })

  it('stands before what is said as soon as the guest is let in', async (t) => {
    const { bridge, server, say, drop, received, open } = await startWithHistory(t)
    const answer = server.onFrame
    void bridge.start()
    await open()
    await drop()
    say('missed', 1, { live: false })
    server.onFrame = (socket, frame) => {
      answer(socket, frame)
      if (frame.action === 'configureSession') say('live', 2)
    }
    await open()
    await until('both', async () => (await received()).length === 2)
    assert.deepEqual(await received(), ['missed', 'live'])
  })
})
