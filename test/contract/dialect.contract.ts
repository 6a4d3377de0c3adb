/**
 * The same stories for every dialect, over the public API and against the simulator. What a dialect cannot do is part
 * of its promises: each says so here as data, and the stories hold it to that.
 */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Author } from '../../src/sessions/message.ts'
import type { DialectName } from '../../src/sessions/session.ts'
import type { Conversation } from '../../src/simulator/conversation.ts'
import type { FaultRequest } from '../../src/simulator/fault-rules.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { platformIs, startAgainst, type TestGateway } from '../support/gateway.ts'
import { listen } from '../support/ports.ts'
import {
  type Api,
  createSession,
  messageOf,
  openSession,
  respondAsync,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

export interface DialectPromises {
  name: DialectName
  /** Who can speak; the first is the default. */
  authors: readonly Author[]
  attachments: boolean
  typing: boolean
  /** The flag of a message that asks for one goes to the platform. */
  readReceipts: boolean
  /** The guest's own token can be replaced. */
  refresh: boolean
  consent: boolean
  /** Messages of the other side arrive. */
  receives: boolean
  /** `none`: REST only. `resumes`: the guest goes on over another socket. `once`: its token opens one socket. */
  stream: 'none' | 'resumes' | 'once'
  /** The conversation's id is told at creation. */
  tellsConversation: boolean
  /** What becomes of a message whose ack was lost, once all that can be known is known. */
  ackLost: 'unconfirmed' | 'sent'
  /** The same of one that was on its way when the connection broke. */
  lostInFlight: 'unconfirmed' | 'sent'
  /** Ordered from the simulator to lose one ack. */
  losesAck: FaultRequest
  /** What a session is when the other side has ended it, and what a message then meets. */
  endedByThem: { state: string; reason: string | null; code: string }
  /** The conversation is over on the platform when a session is closed here. */
  saysGoodbye: boolean
  /** Of a session that was open when the gateway stopped. */
  afterRestart: { state: string; reason: string | null }
}

const environment = {
  GENESYS_ACK_TIMEOUT_MS: '400',
  GENESYS_TIMEOUT_MS: '1500',
  GENESYS_FRAME_INTERVAL_MS: '0',
  WEBHOOK_ALLOW_PRIVATE: 'true',
}

export function dialectContract(promises: DialectPromises): void {
  const { name, stream } = promises
  const shared = sharedGateway.bind(undefined, { environment })
  const opens = (api: Api, more: object = {}) => openSession(api, { dialect: name, ...more })

  describe(`${name}: what it can do`, () => {
    const gateway = shared()

    it('is what /v1/dialects says', async () => {
      const { body } = await gateway().api('GET', '/v1/dialects')
      const said = body.items.find((item: { name: string }) => item.name === name)
      assert.equal(said.configured, true)
      assert.deepEqual(said.capabilities, {
        transport: stream === 'none' ? 'rest' : 'websocket',
        authors: promises.authors,
        attachments: promises.attachments,
        readReceipts: promises.readReceipts,
        typing: promises.typing,
        consent: promises.consent,
        tokenRefresh: promises.refresh,
        closesUpstream: promises.saysGoodbye,
        receives: promises.receives,
      })
    })

    it('G1, G9: creates a guest that becomes active, and says how long that took', async () => {
      const { api } = gateway()
      const created = await createSession(api, { dialect: name, routing: { queueId: 'queue-1' } })
      const { body } = await api('GET', `/v1/sessions/${created.id}?wait=active&timeoutMs=10000`)
      assert.deepEqual([body.dialect, body.state, body.closeReason], [name, 'active', null])
      assert.ok(body.guestId)
      assert.equal(body.conversationId !== null, promises.tellsConversation)
      assert.deepEqual(body.stream, { state: stream === 'none' ? 'none' : 'open', reconnects: 0 })
      assert.equal(body.tokenExpiresAt !== null, promises.refresh || name === 'web-messaging')
      assert.ok(body.latencyMs.create >= 0 && body.latencyMs.activate >= 0)
      await closed(gateway(), created)
    })

    for (const author of ['bot', 'user', 'agent', 'system'] as const) {
      const can = promises.authors.includes(author)
      it(`M1: ${can ? 'sends' : 'does not send'} as ${author}`, async () => {
        const { api } = gateway()
        const session = await opens(api)
        const route = `/v1/sessions/${session.id}/messages`
        const answer = await api('POST', route, { author, text: `as ${author}` })
        if (can) {
          assert.deepEqual([answer.status, answer.body.author], [201, author])
        } else {
          assert.deepEqual([answer.status, answer.body.code], [422, 'author-not-supported'])
          for (const other of promises.authors) assert.match(answer.body.detail, RegExp(other))
          assert.deepEqual(await transcript(api, session), [])
        }
        await closed(gateway(), session)
      })
    }

    it(`M1: speaks as ${promises.authors[0]} where nobody is named`, async () => {
      const session = await opens(gateway().api)
      const { body } = await send(gateway().api, session, 'unnamed')
      assert.equal(body.author, promises.authors[0])
      await closed(gateway(), session)
    })

    it(`M2: ${promises.attachments ? 'carries' : 'refuses'} attachments`, async (t) => {
      const { api } = gateway()
      const session = await opens(api)
      const url = await serveFile(t)
      const attachment = { contentType: 'text/plain', url, fileName: 'a.txt', sizeBytes: 5 }
      const route = `/v1/sessions/${session.id}/messages`
      const answer = await api('POST', route, { text: 'a file', attachments: [attachment] })
      if (promises.attachments) {
        assert.equal(answer.status, 201, JSON.stringify(answer.body))
        assert.deepEqual(answer.body.attachments, [attachment])
        const there = farEnd(gateway(), session).messages.at(-1)
        assert.equal(there?.content.length, 1, 'the platform has the file')
      } else {
        assert.deepEqual([answer.status, answer.body.code], [422, 'not-supported-by-dialect'])
        assert.deepEqual(await transcript(api, session), [])
      }
      await closed(gateway(), session)
    })

    it(`${promises.typing ? 'shows' : 'cannot show'} that the guest types`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      const answer = await api('POST', `/v1/sessions/${session.id}/typing`)
      if (promises.typing) {
        assert.equal(answer.status, 204)
        await until('it arrives', () =>
          simulator.control.received
            .list(name)
            .some(({ body }) => JSON.stringify(body)?.includes('"Typing"')),
        )
      } else {
        assert.deepEqual([answer.status, answer.body.code], [422, 'not-supported-by-dialect'])
      }
      await closed(gateway(), session)
    })

    it(`G6: ${promises.refresh ? 'replaces' : 'has no'} token of the guest`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      const before = simulator.control.sockets.list()
      const answer = await api('POST', `/v1/sessions/${session.id}/refresh`)
      if (promises.refresh) {
        assert.equal(answer.status, 200)
        assert.deepEqual(ids(simulator.control.sockets.list()), ids(before), 'the socket lives on')
        assert.equal((await send(gateway().api, session, 'after that')).body.status, 'sent')
      } else {
        assert.deepEqual([answer.status, answer.body.code], [422, 'not-supported-by-dialect'])
      }
      await closed(gateway(), session)
    })

    it(`G5: ${promises.consent ? 'asks' : 'does not ask'} for consent in a strict region`, async () => {
      const { api } = gateway()
      const asked = { dialect: name, guest: { name: 'Ada' }, region: 'EU' }
      const answer = await api('POST', '/v1/sessions', asked)
      if (promises.consent) {
        assert.deepEqual([answer.status, answer.body.code], [422, 'consent-required'])
      } else {
        assert.equal(answer.status, 201)
        await closed(gateway(), answer.body)
      }
    })
  })

  describe(`${name}: messages`, () => {
    const gateway = shared()

    it('M2: are sent, with the platform’s id, time and latency', async () => {
      const { api } = gateway()
      const session = await opens(api)
      const { status, body } = await send(api, session, 'Hello')
      assert.deepEqual([status, body.status, body.attempts, body.error], [201, 'sent', 1, null])
      assert.ok(body.upstreamId)
      assert.ok(Date.parse(body.sentAt) > 0)
      assert.ok(Number.isInteger(body.latencyMs))
      assert.deepEqual(textsOf(farEnd(gateway(), session)), ['Hello'])
      await closed(gateway(), session)
    })

    it('M4: arrive in the order they were accepted', async () => {
      const { api } = gateway()
      const session = await opens(api)
      const texts = Array.from({ length: 8 }, (_, at) => `message ${at}`)
      const answers = []
      for (const text of texts) answers.push(await send(api, session, text, respondAsync))
      assert.ok(answers.every(({ status }) => status === 202))
      for (const { body } of answers) {
        assert.equal((await settled(api, session, body.id)).status, 'sent')
      }
      assert.deepEqual(textsOf(farEnd(gateway(), session)), texts)
      const upstreamIds = (await transcript(api, session)).map(({ upstreamId }) => upstreamId)
      assert.equal(new Set(upstreamIds).size, texts.length)
      await closed(gateway(), session)
    })

    it(`of the other side ${promises.receives ? 'arrive' : 'do not arrive'}`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'Anybody there?')
      const there = farEnd(gateway(), session)
      simulator.control.say(there.id, { text: 'I am Sam' })
      if (promises.receives) {
        const inbound = await until('the answer', async () =>
          (await transcript(api, session)).find(({ direction }) => direction === 'inbound'),
        )
        assert.deepEqual(
          [inbound.text, inbound.author, inbound.status],
          ['I am Sam', 'agent', 'delivered'],
        )
        assert.ok(inbound.upstreamId)
      }
      await send(api, session, 'Thank you')
      const { body } = await api('GET', `/v1/sessions/${session.id}`)
      const inbound = promises.receives ? 1 : 0
      assert.deepEqual(body.messages, { outbound: 2, inbound, failed: 0 })
      await closed(gateway(), session)
    })

    it(`whose ack is lost are ${promises.ackLost}, and the next one is sent`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      simulator.control.faults.add({ ...promises.losesAck, count: 1 })
      const lost = await send(api, session, 'lost ack')
      assert.deepEqual([lost.status, lost.body.status], [201, 'unconfirmed'])
      assert.equal(lost.body.error.retryable, false)
      const next = await send(api, session, 'the next', { prefer: 'wait=10' })
      assert.deepEqual([next.status, next.body.status], [201, 'sent'])
      const after = await messageOf(api, session, 'lost ack')
      assert.equal(after.status, promises.ackLost)
      assert.notEqual(after.upstreamId ?? 'none', next.body.upstreamId)
      assert.deepEqual(textsOf(farEnd(gateway(), session)), ['lost ack', 'the next'])
      simulator.control.faults.remove()
      await closed(gateway(), session)
    })

    it('whose acks come late and doubled are sent once, each with its own', async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      const { losesAck } = promises
      const { control } = simulator
      if ('contains' in losesAck) {
        const acks = { contains: losesAck.contains, operation: losesAck.operation }
        control.faults.add({ kind: 'frame-duplicate', times: 2, ...acks })
        control.faults.add({ kind: 'frame-delay', delayMs: 30, jitterMs: 60, ...acks })
      } else {
        control.faults.add({ kind: 'latency', latencyMs: 60, operation: losesAck.operation })
      }
      const texts = ['one', 'two', 'three', 'four', 'five']
      const answers = await Promise.all(texts.map((text) => send(api, session, text)))
      assert.deepEqual(
        answers.map(({ body }) => body.status),
        texts.map(() => 'sent'),
      )
      control.faults.remove()
      const last = await send(api, session, 'last')
      const there = farEnd(gateway(), session)
      assert.equal(textsOf(there).length, 6)
      const idsThere = new Map(there.messages.map(({ text }, at) => [text, at]))
      const said = await transcript(api, session)
      assert.ok(said.every(({ text }) => idsThere.has(text)))
      assert.equal(new Set(said.map(({ upstreamId }) => upstreamId)).size, 6)
      assert.equal(last.body.status, 'sent')
      await closed(gateway(), session)
    })
  })

  describe(`${name}: the connection`, () => {
    const gateway = shared()
    const lost = { resumes: 'is made anew', once: 'ends the session', none: 'is not needed' }

    it(`lost while nothing is on it ${lost[stream]}`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'before')
      assert.equal(simulator.control.sockets.drop(), stream === 'none' ? 0 : 1)
      if (stream === 'once') {
        await over(api, session, 'closed', 'stream-lost')
        const refused = await send(api, session, 'after')
        assert.deepEqual([refused.status, refused.body.code], [409, 'session-closed'])
        return
      }
      assert.equal((await send(api, session, 'after')).body.status, 'sent')
      const { body } = await api('GET', `/v1/sessions/${session.id}`)
      assert.equal(body.stream.reconnects, stream === 'none' ? 0 : 1)
      assert.deepEqual(textsOf(farEnd(gateway(), session)), ['before', 'after'])
      await closed(gateway(), session)
    })

    it(`lost with a message on it leaves that one ${promises.lostInFlight} and sends it once`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'before')
      const { losesAck } = promises
      if ('contains' in losesAck) {
        // The platform has the message, and then there is no connection any more.
        simulator.control.faults.add({ ...losesAck, count: 1 })
        simulator.control.faults.add({
          kind: 'frame-close',
          direction: 'from-guest',
          contains: 'in flight',
          count: 1,
        })
      } else simulator.control.faults.add({ ...losesAck, count: 1 })
      const inFlight = await send(api, session, 'in flight')
      assert.deepEqual([inFlight.status, inFlight.body.status], [201, 'unconfirmed'])
      simulator.control.faults.remove()
      if (stream === 'once') await over(api, session, 'closed', 'stream-lost')
      else {
        assert.equal((await send(api, session, 'next')).body.status, 'sent')
        await until(`it is ${promises.lostInFlight}`, async () => {
          const { status } = await messageOf(api, session, 'in flight')
          return status === promises.lostInFlight
        })
        assert.deepEqual(textsOf(farEnd(gateway(), session)), ['before', 'in flight', 'next'])
      }
      await closed(gateway(), session)
    })

    it('lives on when the OAuth tokens end', async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'before')
      const before = ids(simulator.control.sockets.list())
      assert.equal(before.length, stream === 'none' ? 0 : 1)
      simulator.control.revokeTokens()
      assert.equal((await send(api, session, 'after')).body.status, 'sent')
      assert.deepEqual(ids(simulator.control.sockets.list()), before)
      await closed(gateway(), session)
    })

    it('is counted while it is open', async () => {
      const { api } = gateway()
      const streams = async () => (await api('GET', '/v1/stats')).body.streams.upstream
      assert.equal(await streams(), 0)
      const [one, two] = [await opens(api), await opens(api)]
      assert.equal(await streams(), stream === 'none' ? 0 : 2)
      await closed(gateway(), one)
      assert.equal(await streams(), stream === 'none' ? 0 : 1)
      await closed(gateway(), two)
      assert.equal(await streams(), 0)
    })
  })

  describe(`${name}: the end`, () => {
    const gateway = shared()
    const { endedByThem, saysGoodbye } = promises

    it('made by the other side is met by the next message at the latest', async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'before')
      simulator.control.close(farEnd(gateway(), session).id)
      if (stream !== 'none') await over(api, session, endedByThem.state, endedByThem.reason)
      const refused = await send(api, session, 'after')
      assert.equal(refused.body.code, endedByThem.code, JSON.stringify(refused.body))
      const { body } = await api('GET', `/v1/sessions/${session.id}`)
      assert.deepEqual([body.state, body.closeReason], [endedByThem.state, endedByThem.reason])
      await closed(gateway(), session)
    })

    it(`made here ${saysGoodbye ? 'ends the conversation there' : 'is not told to the platform'}`, async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'before')
      const there = farEnd(gateway(), session)
      const answer = await api('DELETE', `/v1/sessions/${session.id}`)
      assert.deepEqual(
        [answer.status, answer.body.state, answer.body.closeReason],
        [200, 'closed', 'closed by the caller'],
      )
      await simulator.control.sockets.settled(0)
      assert.equal(there.status === 'CLOSED', saysGoodbye)
      const refused = await send(api, session, 'after')
      assert.deepEqual([refused.status, refused.body.code], [409, 'session-closed'])
      assert.deepEqual(textsOf(there), ['before'])
    })
  })

  describe(`${name}: leaving`, () => {
    const gateway = shared()

    it('lets what is on its way be settled', async () => {
      const { api, simulator } = gateway()
      const session = await opens(api)
      await send(api, session, 'before')
      const there = farEnd(gateway(), session)
      const { losesAck } = promises
      const { control } = simulator
      if ('contains' in losesAck) {
        const { contains, operation } = losesAck
        control.faults.add({ kind: 'frame-delay', delayMs: 150, contains, operation })
      } else control.faults.add({ ...losesAck, kind: 'latency', latencyMs: 150, when: 'after' })
      const sending = send(api, session, 'on its way')
      await until('it is there', () => textsOf(there).includes('on its way'))
      assert.equal((await api('DELETE', `/v1/sessions/${session.id}`)).status, 200)
      assert.equal((await sending).body.status, 'sent')
      control.faults.remove()
      await control.sockets.settled(0)
    })
  })

  describe(`${name}: a restart`, () => {
    it('in the middle keeps what can be kept', async (t) => {
      const { simulator, start } = await restartable(t)
      const first = await start()
      const session = await opens(first.api)
      await send(first.api, session, 'before')
      const there = farEnd({ ...first, simulator }, session)
      await first.gateway[Symbol.asyncDispose]()
      await simulator.control.sockets.settled(0)

      const second = await start()
      const { state, reason } = promises.afterRestart
      if (state === 'active') {
        const after = await send(second.api, session, 'after')
        assert.deepEqual([after.status, after.body.status], [201, 'sent'])
        assert.deepEqual(textsOf(there), ['before', 'after'])
      } else {
        await over(second.api, session, state, reason)
        const refused = await send(second.api, session, 'after')
        assert.deepEqual([refused.status, refused.body.code], [409, 'session-closed'])
      }
      const { body } = await second.api('GET', `/v1/sessions/${session.id}`)
      assert.deepEqual([body.state, body.closeReason], [state, reason])
      assert.equal((await messageOf(second.api, session, 'before')).status, 'sent')
    })

    it('finds what was accepted, in its order, and what was in flight in doubt', async (t) => {
      const { simulator, start } = await restartable(t)
      const first = await start()
      const session = await opens(first.api)
      await send(first.api, session, 'before')
      const there = farEnd({ ...first, simulator }, session)
      // It is there and its ack is not: whoever stops now cannot know.
      simulator.control.faults.add({ ...promises.losesAck, count: 1 })
      const accepted = []
      for (const text of ['in flight', 'one', 'two']) {
        accepted.push((await send(first.api, session, text, respondAsync)).body)
      }
      await until('it is there', () => textsOf(there).includes('in flight'))
      await first.gateway[Symbol.asyncDispose]()
      simulator.control.faults.remove()

      const second = await start()
      const ends = await Promise.all(accepted.map(({ id }) => settled(second.api, session, id)))
      const goesOn = promises.afterRestart.state === 'active'
      await until('what is known of the one in flight', async () => {
        const { status } = await messageOf(second.api, session, 'in flight')
        return status === promises.lostInFlight
      })
      assert.deepEqual(
        ends.slice(1).map(({ status }) => status),
        goesOn ? ['sent', 'sent'] : ['failed', 'failed'],
      )
      const arrived = ['before', 'in flight', ...(goesOn ? ['one', 'two'] : [])]
      assert.deepEqual(textsOf(there), arrived)
    })
  })

  /** The platform's side of the newest session. */
  function farEnd({ simulator }: Pick<TestGateway, 'simulator'>, session: object): Conversation {
    const { conversationId, guestId } = session as { conversationId?: string; guestId?: string }
    const { control } = simulator
    const subjects = control.sockets.list({ operation: name }).map(({ subject }) => subject)
    for (const id of [conversationId, guestId, ...subjects]) {
      const found = id ? control.conversation(id) : undefined
      if (found) return found
    }
    throw new Error('the platform knows nothing of the session')
  }
}

/** One simulator, and gateways one after the other on the same file. */
async function restartable(t: TestContext) {
  const simulator = await startSimulator({
    seed: 'test',
    activationMs: 0,
    rateLimit: 'off',
    agent: false,
  })
  t.after(() => simulator[Symbol.asyncDispose]())
  const store = `sqlite:${path.join(temporaryFolder(t), 'gateway.db')}`
  const start = async () => {
    const started = await startAgainst({
      ...platformIs(simulator),
      STORE: store,
      ...environment,
    })
    t.after(() => started.gateway[Symbol.asyncDispose]())
    return started
  }
  return { simulator, start }
}

/** Texts of the guest's side, as the platform has them. */
function textsOf({ messages }: Conversation): string[] {
  return messages.filter(({ side }) => side === 'guest').map(({ text }) => text)
}

function ids(sockets: readonly { id: string }[]): string[] {
  return sockets.map(({ id }) => id)
}

async function over(api: Api, { id }: { id: string }, state: string, reason: string | null) {
  const session = await until(`the session is ${state}`, async () => {
    const { body } = await api('GET', `/v1/sessions/${id}`)
    return body.state === state && body
  })
  assert.equal(session.closeReason, reason)
}

/** Closes the session, and leaves no socket to the next story. */
async function closed({ api, simulator }: TestGateway, { id }: { id: string }): Promise<void> {
  const others = simulator.control.sockets.list().length
  await api('DELETE', `/v1/sessions/${id}`)
  await until('its socket is closed', () => {
    const left = simulator.control.sockets.list().length
    return left === 0 || left < others
  })
}

/** A small text file at an address of its own. */
async function serveFile(t: TestContext): Promise<string> {
  const server = createServer((_request, response) => response.end('hello'))
  const port = await listen(server)
  t.after(() => server.close())
  return `http://127.0.0.1:${port}/a.txt`
}
