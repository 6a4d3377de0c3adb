import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { textsAt } from '../support/far-end.ts'
import { type Answer, adminKey, keys } from '../support/gateway.ts'
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts'
import { respondAsync, retry, send, settled } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { startRecordingProxy } from './support/recording-proxy.ts'

const operation = 'external-guests.sendMessage'
const clientSecret = 'canary-client-secret-not-real'
const wrongKey = 'canary-wrong-api-key-not-real'
const storeKey = randomBytes(32)

const person = {
  id: 'canary-visitor-id',
  name: 'Canary Nightingale',
  email: 'canary@nowhere.example',
  attributes: { plan: 'canary-attribute' },
}
const metadata = { note: 'canary-metadata' }
const text = 'canary message text'
const personal = [
  ...[person.name, person.email, person.attributes.plan, metadata.note, text],
  ...['canary blocked_keyword', 'canary cut short', 'canary-mail-of-no-shape'],
]

describe('secrets and personal data', () => {
  it('stay out of logs, problems, figures and, where they open something, the store', {
    timeout: 60_000,
  }, async (t) => {
    const clients = [{ id: 'canary-client', secret: clientSecret }]
    const simulator = await startSimulator({ clients, activationMs: 0, agent: false })
    t.after(() => simulator[Symbol.asyncDispose]())
    const proxy = await startRecordingProxy(t, simulator.url)
    const folder = temporaryFolder(t)
    const settings = {
      PORT: '0',
      LOG_LEVEL: 'trace',
      API_KEYS: keys,
      GENESYS_BASE_URL: proxy.url,
      GENESYS_MESSAGING_WS_URL: simulator.url.replace('http', 'ws'),
      GENESYS_CLIENT_ID: 'canary-client',
      GENESYS_CLIENT_SECRET: clientSecret,
      GENESYS_CHANNEL_CONFIG_ID: 'channel-1',
      GENESYS_TARGET_QUEUE_ID: 'queue-1',
      GENESYS_RATE_LIMIT: 'off',
      GENESYS_TIMEOUT_MS: '300',
      GENESYS_ACTIVATION_TIMEOUT_MS: '900',
      STORE: 'sqlite:gateway.db',
      STORE_KEY: storeKey.toString('base64'),
      ALLOWED_ORIGINS: 'https://shop.example',
    }
    simulator.control.configure({ rateLimit: 'off' })

    const first = await startGatewayProcess(t, folder, settings)
    const story = new Story(first)
    const { faults } = simulator.control
    await story.happyPath()
    await story.badRequests()
    faults.add({ kind: 'status', status: 503, count: 1, operation })
    await story.say(text)
    for (const kind of ['reset', 'truncated', 'malformed', 'hang'] as const) {
      faults.add({ kind, when: 'after', count: 1, operation })
      await story.say(text)
    }
    // A platform that repeats what it was told, and what it was told it with.
    const said = { code: 'bad.request', message: `no: "${text}" of ${person.name} ${person.email}` }
    faults.add({ kind: 'status', status: 400, body: said, count: 1, operation })
    await story.say(text)
    faults.add({ kind: 'status', status: 500, body: said, operation })
    await story.say(text)
    faults.remove()
    simulator.control.revokeTokens()
    faults.add({ kind: 'reset', operation: 'oauth.token' })
    await story.say(text)
    faults.remove()
    const leaks = readFiles(folder)
    await first.kill()

    const second = await startGatewayProcess(t, folder, { ...settings, GENESYS_CLIENT_SECRET: 'x' })
    const figures = [
      (await second.api('GET', '/metrics')).body,
      JSON.stringify((await second.api('GET', '/v1/stats')).body),
      JSON.stringify(
        await until('the credentials are found wrong', async () => {
          const { body } = await second.api('GET', '/health/ready')
          return /^token: /.test(body.reasons[0]) && body
        }),
      ),
    ]
    await second.stop()

    // All of it was really there to be leaked.
    assert.ok(textsAt(simulator).includes(text))
    assert.ok(proxy.tokens.size >= 5, `${proxy.tokens.size} tokens`)
    const credentials = [
      ...[clientSecret, wrongKey, settings.STORE_KEY, storeKey.toString('hex')],
      ...keys.split(',').map((key) => key.split(':')[2] ?? ''),
      ...[Buffer.from(`canary-client:${clientSecret}`).toString('base64')],
      ...[...proxy.tokens, ...story.streamTokens],
    ]
    const everything = [...credentials, ...personal]
    await t.test('no log line has any of them', () => {
      const lines = [...first.lines, ...second.lines]
      assert.ok(lines.length > 20)
      for (const line of lines) assertNone(line, everything)
    })
    await t.test('no problem has any of them', () => {
      assert.ok(story.problems.length > 8)
      for (const { body } of story.problems) {
        // What the platform says of a caller's own request is for that caller.
        const { upstream, detail, ...rest } = body
        assertNone(JSON.stringify(rest), everything)
        assertNone(JSON.stringify({ upstream, detail }), credentials)
      }
    })
    await t.test('no figure has any of them', () => {
      for (const figure of figures) assertNone(figure, everything)
    })
    await t.test('no other answer has a credential', () => {
      const granted = new Set(story.streamTokens)
      const others = credentials.filter((credential) => !granted.has(credential))
      for (const { body } of story.answers) assertNone(JSON.stringify(body), others)
    })
    await t.test('no file of the store has a credential', () => {
      const files = [...leaks, ...readFiles(folder)]
      assert.ok(files.some(({ bytes }) => bytes.includes(text)))
      for (const { name, bytes } of files) {
        for (const credential of credentials) {
          assert.ok(!bytes.includes(credential), `${credential} is in ${name}`)
        }
        assert.ok(!bytes.includes(storeKey), `the store key is in ${name}`)
      }
    })
  })
})

/** Callers who do everything there is, rightly and wrongly; all answers are kept. */
class Story {
  readonly answers: Answer[] = []
  readonly streamTokens: string[] = []
  readonly #gateway: GatewayProcess
  #session = { id: '' }

  constructor(gateway: GatewayProcess) {
    this.#gateway = gateway
  }

  get problems(): Answer[] {
    return this.answers.filter(({ status }) => status >= 400)
  }

  async happyPath(): Promise<void> {
    const consent = { marketing: true, personalization: true, analytics: true }
    const guest = { guest: person, metadata }
    const created = await this.#ask('POST', '/v1/sessions', guest, { 'idempotency-key': 'create' })
    assert.equal(created.status, 201)
    this.#session = created.body
    await this.say(text, { 'idempotency-key': 'say' })
    await this.say(text, respondAsync)
    const line = JSON.stringify({ sessionId: this.#session.id, text })
    await this.#ask('POST', '/v1/messages/batch', line, { 'content-type': 'application/x-ndjson' })
    for (const dialect of ['guest-sessions', 'messaging-guests']) {
      const other = await this.#ask('POST', '/v1/sessions', {
        ...{ ...guest, dialect, region: 'EU', consent, origin: 'https://shop.example' },
      })
      assert.equal(other.status, 201, JSON.stringify(other.body))
      const said = await send(this.#gateway.api, other.body, text)
      assert.equal(said.body.status, 'sent', JSON.stringify(said.body))
      if (dialect === 'guest-sessions') {
        await this.#ask('POST', `/v1/sessions/${other.body.id}/refresh`)
      }
      await this.#ask('DELETE', `/v1/sessions/${other.body.id}`)
    }
    await this.#stream()
  }

  async badRequests(): Promise<void> {
    const messages = `/v1/sessions/${this.#session.id}/messages`
    const asStranger = { authorization: `Bearer ${wrongKey}` }
    await this.#ask('GET', '/v1/sessions', undefined, asStranger)
    await this.#ask('GET', `/v1/sessions?token=${adminKey}&cursor=${wrongKey}`)
    await this.#ask('GET', `/nowhere?access_token=${adminKey}`)
    await this.#ask('POST', messages, '{"text":"canary cut short')
    await this.#ask('POST', messages, { text: 'canary blocked_keyword' })
    await this.#ask('POST', messages, { text: text.repeat(500) })
    await this.#ask('POST', messages, { text, conversationId: 'another' })
    await this.#ask('POST', messages, { text, nobody: text, author: text })
    await this.#ask('POST', '/v1/sessions', {
      guest: { name: person.name, email: 'canary-mail-of-no-shape' },
    })
    await this.#ask('POST', '/v1/sessions', { guest: person, dialect: 'web-messaging' })
  }

  /** Says it and waits for the end; what fails is sent again, once. */
  async say(words: string, headers: Record<string, string> = {}): Promise<void> {
    const { api } = this.#gateway
    const answer = await send(api, this.#session, words, headers)
    this.answers.push(answer)
    if (answer.status === 202) await settled(api, this.#session, answer.body.id)
    const failed = await this.#ask('GET', `/v1/sessions/${this.#session.id}/messages?limit=200`)
    const last = failed.body.items.at(-1)
    if (last.status === 'failed') this.answers.push(await retry(api, this.#session, last.id))
  }

  async #stream(): Promise<void> {
    const route = `/v1/sessions/${this.#session.id}/stream-tokens`
    const origin = 'https://shop.example'
    const { status, body } = await this.#ask('POST', route, { origin, canSend: true })
    assert.equal(status, 201, JSON.stringify(body))
    this.streamTokens.push(body.token)
    const events = await fetch(body.eventsUrl, { headers: { origin } })
    assert.equal(events.status, 200)
    await events.body?.cancel()
    await this.#ask('GET', `/v1/sessions/${this.#session.id}/events?token=${body.token}x`)
  }

  async #ask(...request: Parameters<GatewayProcess['api']>): Promise<Answer> {
    const answer = await this.#gateway.api(...request)
    this.answers.push(answer)
    return answer
  }
}

function readFiles(folder: string): { name: string; bytes: Buffer }[] {
  return readdirSync(folder).map((name) => ({ name, bytes: readFileSync(join(folder, name)) }))
}

function assertNone(found: string, canaries: readonly string[]): void {
  for (const canary of canaries) assert.ok(!found.includes(canary), `"${canary}" is in ${found}`)
}
