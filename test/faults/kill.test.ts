import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { Dice } from '../support/dice.ts'
import { textsAt, timesTaken } from '../support/far-end.ts'
import {
  type GatewayProcess,
  settingsFor,
  startGatewayProcess,
} from '../support/gateway-process.ts'
import { readStore } from '../support/read-store.ts'
import {
  isSettled,
  openSession,
  respondAsync,
  retry,
  settled,
  transcript,
} from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'
import { type Asked, Load } from './support/load.ts'

const rounds = 4
const seed = 'kill -9'

/** What the far end and the gateway must agree on once everything is quiet. */
describe('kill -9 under load', () => {
  it('loses nothing, doubles nothing, and knows what it does not know', {
    timeout: 60_000,
  }, async (t) => {
    const dice = new Dice(seed)
    const simulator = await startSimulator({
      seed,
      activationMs: 20,
      agent: false,
      rateLimit: 'off',
      receivedLimit: 100_000,
    })
    t.after(() => simulator[Symbol.asyncDispose]())
    const { faults } = simulator.control
    for (const when of ['before', 'after'] as const) {
      faults.add({ kind: 'latency', when, latencyMs: 15, probability: 0.5 })
    }
    for (const direction of ['from-guest', 'to-guest'] as const) {
      faults.add({ kind: 'frame-delay', direction, delayMs: 15, probability: 0.5 })
    }
    const folder = temporaryFolder(t)
    const settings = settingsFor(simulator, {
      STORE: 'sqlite:gateway.db',
      GENESYS_CHANNEL_CONFIG_ID: 'channel-1',
      GENESYS_MESSAGING_WS_URL: simulator.url.replace('http', 'ws'),
      GENESYS_FRAME_INTERVAL_MS: '0',
    })
    const start = () => startGatewayProcess(t, folder, settings)

    const load = new Load(dice)
    for (let round = 1; round <= rounds; round++) {
      const gateway = await start()
      const running = load.run(gateway, 8)
      const answers = dice.between(20, 120)
      await until(`${answers} answers in round ${round}`, () => load.answeredNow >= answers)
      await gateway.kill()
      await running
    }

    const gateway = await start()
    const world = new Aftermath(gateway, load.asked)
    await world.settle()

    await t.test('what was answered is there', () => world.checkAnswers())
    await t.test('each accepted message has left once, and none that was not', async () => {
      const left = textsAt(simulator)
      const unknown = new Set(left)
      for (const message of world.messages()) {
        unknown.delete(message.text)
        const times = left.filter((text) => text === message.text).length
        if (message.status === 'sent') assert.equal(times, 1, message.text)
        else if (message.status === 'unconfirmed') assert.ok(times <= 1, message.text)
        else {
          const why = `${message.text} is ${message.status}: ${message.error?.detail}`
          assert.ok(world.isStreamLost(message), why)
          assert.equal(times, 0, why)
        }
      }
      assert.deepEqual([...unknown], [], 'left without being written down')
    })
    await t.test('M4: each session’s messages left in the order of its transcript', () => {
      const everything = textsAt(simulator)
      for (const [{ dialect }, messages] of world.transcripts) {
        const texts = messages.map(({ text }) => text)
        const left = everything.filter((text) => texts.includes(text))
        const inTranscript = texts.filter((text) => left.includes(text))
        assert.deepEqual(left, inTranscript, dialect)
      }
    })
    await t.test('a repeat under the same key gets the first answer, or the true outcome', () =>
      world.checkRepeats(simulator),
    )
    await t.test('an unconfirmed message leaves again when asked, and only then', async (t) => {
      const inDoubt = world.messages().filter(({ status }) => status === 'unconfirmed')
      t.diagnostic(`unconfirmed: ${inDoubt.length} of ${world.messages().length}`)
      for (const message of inDoubt) {
        const { id, sessionId, text } = message
        const before = timesTaken(simulator, text)
        const answer = await retry(gateway.api, { id: sessionId }, id)
        const isOver = world.isStreamLost(message)
        if (isOver) assert.equal(answer.body.code, 'session-closed')
        else assert.deepEqual([answer.status, answer.body.status], [201, 'sent'])
        assert.equal(timesTaken(simulator, text), isOver ? before : before + 1)
      }
    })
    const exit = await gateway.stop()
    assert.equal(exit.code, 0)
    await t.test('each session’s journal has every sequence from 1, without gaps', (t) =>
      checkJournal(t, join(folder, 'gateway.db')),
    )
  })

  it('goes on with the parts of a message that had not left', async (t) => {
    const simulator = await startSimulator({ activationMs: 0, agent: false, rateLimit: 'off' })
    t.after(() => simulator[Symbol.asyncDispose]())
    const folder = temporaryFolder(t)
    const settings = settingsFor(simulator, {
      STORE: 'sqlite:gateway.db',
      MAX_MESSAGE_BYTES: '10',
      GENESYS_RATE_LIMIT: '4/5s',
    })
    const first = await startGatewayProcess(t, folder, settings)
    const session = await openSession(first.api)
    const parts = ['a', 'b', 'c', 'd', 'e'].map((letter) => letter.repeat(10))
    const route = `/v1/sessions/${session.id}/messages`
    const body = { text: parts.join(''), oversize: 'split' }
    const accepted = await first.api('POST', route, body, respondAsync)
    await until('a part waits for the quota', async () => {
      const [quota] = (await first.api('GET', '/v1/stats')).body.quota
      return quota.queued === 1 && textsAt(simulator).length > 0
    })

    await first.kill()
    const left = textsAt(simulator)
    const second = await startGatewayProcess(t, folder, settings)

    const message = await settled(second.api, session, accepted.body.id)
    assert.equal(message.status, 'sent')
    assert.ok(left.length < parts.length)
    assert.deepEqual(textsAt(simulator), parts)
  })
})

/** The gateway after the last start, and all that was asked of those before it. */
class Aftermath {
  readonly transcripts = new Map<Session, Message[]>()
  readonly #gateway: GatewayProcess
  readonly #asked: readonly Asked[]

  constructor(gateway: GatewayProcess, asked: readonly Asked[]) {
    this.#gateway = gateway
    this.#asked = asked
  }

  messages(): Message[] {
    return [...this.transcripts.values()].flat()
  }

  /** The session went with its process: where a stream cannot be opened twice. */
  isStreamLost({ sessionId }: Message): boolean {
    const session = [...this.transcripts.keys()].find(({ id }) => id === sessionId)
    return session?.dialect === 'messaging-guests' && session.closeReason === 'stream-lost'
  }

  /** Reads everything, once nothing moves any more. */
  async settle(): Promise<void> {
    const { api } = this.#gateway
    let cursor = ''
    do {
      const { body } = await api('GET', `/v1/sessions?limit=200${cursor}`)
      for (const session of body.items) {
        const messages = await until(`${session.id} is quiet`, async () => {
          const items = await transcript(api, session)
          return items.every(isSettled) && items
        })
        this.transcripts.set(session, messages as Message[])
      }
      cursor = body.nextCursor && `&cursor=${body.nextCursor}`
    } while (cursor)
  }

  async checkAnswers(): Promise<void> {
    const sessions = new Set([...this.transcripts.keys()].map(({ id }) => id))
    const messages = new Map(this.messages().map((message) => [message.id, message]))
    for (const { kind, text, answer } of this.#asked) {
      if (!answer) continue
      assert.ok(answer.status === 201 || answer.status === 202, JSON.stringify(answer.body))
      if (kind === 'create') assert.ok(sessions.has(answer.body.id), `${answer.body.id} is lost`)
      else {
        const message = messages.get(answer.body.id)
        assert.equal(message?.text, text, `${answer.body.id} is lost`)
        if (answer.status === 201) assert.equal(message?.status, answer.body.status)
      }
    }
    // Of the others there may be traces, and none twice.
    const texts = this.messages().map(({ text }) => text)
    assert.equal(new Set(texts).size, texts.length)
  }

  async checkRepeats(simulator: Simulator): Promise<void> {
    const known = new Map(this.messages().map((message) => [message.text, message]))
    for (const { kind, text, key, answer, repeat } of this.#asked) {
      if (key === null) continue
      const again = await repeat(this.#gateway)
      const replayed = again.headers.get('idempotent-replayed') === 'true'
      if (answer) {
        assert.deepEqual([again.status, again.body, replayed], [answer.status, answer.body, true])
      }
      if (kind === 'create') continue
      const message = known.get(text)
      if (!answer && message) {
        assert.equal(replayed, true)
        // An asynchronous one was accepted together with its answer, which stays what it was.
        if (again.status === 202) assert.equal(again.body.status, 'accepted')
        else if (again.status === 201) assert.equal(again.body.status, message.status)
        else assert.deepEqual([again.body.code, message.status], ['session-closed', 'failed'])
        if (again.status < 300) assert.equal(again.body.id, message.id)
      }
      if (!answer && !message) assert.equal(replayed, false)
    }
    const left = textsAt(simulator)
    assert.equal(new Set(left).size, left.length, 'a repeat was sent again')
  }
}

interface Session {
  id: string
  dialect: string
  closeReason: string | null
}

interface Message {
  id: string
  sessionId: string
  text: string
  status: string
  error: { detail: string } | null
}

async function checkJournal(t: TestContext, file: string): Promise<void> {
  await using store = await readStore(file)
  let events = 0
  let cursor: string | undefined
  do {
    const page = await store.listSessions({}, { limit: 200, cursor })
    for (const { id, sequence } of page.items) {
      const journal = await store.eventsOf(id, 0, sequence + 10)
      assert.deepEqual(
        journal.map((event) => event.sequence),
        upTo(sequence),
      )
      assert.equal(journal[0]?.type, 'session.created')
      events += journal.length
    }
    cursor = page.nextCursor ?? undefined
  } while (cursor)
  t.diagnostic(`events: ${events}`)
}
