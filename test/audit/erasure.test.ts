import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { movingTime, passUntil } from '../bridge/support/moving-time.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { createSession, openSession, respondAsync, send, settled } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { answers } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { addWebhook, allowPrivate } from '../webhooks/support/destination.ts'
import { startReceiver } from '../webhooks/support/receiver.ts'
import { actionsOf, named } from './support.ts'

const person = {
  id: 'canary-visitor-17',
  name: 'Canary Lovelace',
  email: 'canary.lovelace@canary.example',
  locale: 'fr-CA',
  attributes: { 'canary-attribute': 'canary-value' },
}
const metadata = { externalSessionId: 'canary-external', note: ['canary-note'] }
const attachment = {
  contentType: 'image/png',
  url: 'https://canary.example/canary.png',
  fileName: 'canary.png',
  sizeBytes: 1024,
}
/** Long enough to take pages of its own in the file. */
const long = `Long canary ${'words of a canary '.repeat(200)}`
const erased = { id: null, name: '[erased]', email: null, locale: null, attributes: {} }
const asApp = { authorization: 'Bearer test-app-key' }

describe('DELETE /v1/sessions/{id}/data', { concurrency: 2 }, () => {
  it('leaves nothing of the guest in answers, replays, lists and the file', async (t) => {
    const world = await start(t)
    const { api, simulator } = world
    const guests: string[] = []
    for (const dialect of ['external-guests', 'conversations', 'messaging-guests']) {
      const body = { dialect, guest: person, metadata }
      const key = { 'idempotency-key': `create-${dialect}` }
      const { body: session } = await api('POST', '/v1/sessions', body, key)
      assert.ok(session.id, JSON.stringify(session))
      guests.push(session.id)
      await api('GET', `/v1/sessions/${session.id}?wait=active&timeoutMs=10000`)
      await send(api, session, 'canary text', { 'idempotency-key': `say-${dialect}` })
      const later = { ...respondAsync, 'idempotency-key': `later-${dialect}` }
      await settled(api, session, (await send(api, session, long, later)).body.id)
      if (dialect === 'conversations') {
        const with_ = { text: 'canary with a file', attachments: [attachment] }
        const answer = await api('POST', `/v1/sessions/${session.id}/messages`, with_)
        assert.equal(answer.status, 201, JSON.stringify(answer.body))
      }
      if (dialect === 'messaging-guests') {
        simulator.control.say(session.conversationId, { text: 'canary answer' })
        await until('the answer came', async () => {
          const { body: now } = await api('GET', `/v1/sessions/${session.id}`)
          return now.messages.inbound > 0
        })
      }
      if (dialect === 'external-guests') {
        const split = { text: `${long} ${long}`, oversize: 'split' }
        await api('POST', `/v1/sessions/${session.id}/messages`, split)
        const said = { code: 'bad.request', message: 'no: "canary text" of Canary Lovelace' }
        const operation = 'external-guests.sendMessage'
        simulator.control.faults.add({
          kind: 'status',
          status: 400,
          body: said,
          count: 1,
          operation,
        })
        await send(api, session, 'canary refused', { 'idempotency-key': 'refused' })
      }
    }
    const streamed = { guest: person, stream: { origin: 'https://shop.example' } }
    const tokened = await api('POST', '/v1/sessions', streamed, { 'idempotency-key': 'tokened' })
    guests.push(tokened.body.id)
    assert.ok(world.inFiles(/canary/i), 'nothing was planted')

    for (const id of guests) {
      const { status, body } = await api('DELETE', `/v1/sessions/${id}/data`)
      assert.equal(status, 200, JSON.stringify(body))
      assert.deepEqual([body.state, body.guest, body.metadata], ['closed', erased, {}])
      assert.doesNotMatch(body.guestId, /canary/i)
    }

    for (const id of guests) {
      const routes = ['', '/messages?limit=200', '/timeline'].map(
        (route) => `/v1/sessions/${id}${route}`,
      )
      for (const route of routes) await world.assertNone(route)
      const { items } = (await api('GET', `/v1/sessions/${id}/messages`)).body
      for (const { id: messageId, text } of items) {
        assert.equal(text, '')
        await world.assertNone(`/v1/sessions/${id}/messages/${messageId}`)
      }
    }
    // Each waits until its stream is quiet.
    const replayed = await Promise.all(guests.map((id) => world.replayOf(id)))
    assert.ok(replayed.every((events) => events >= 2))
    for (const route of ['/v1/sessions', '/v1/audit?limit=200', '/v1/stats', '/metrics']) {
      await world.assertNone(route)
    }
    assert.deepEqual((await api('GET', '/v1/sessions?externalId=canary-external')).body.items, [])
    const { body: verified } = await api('GET', '/v1/audit?verify=true')
    assert.deepEqual([verified.verification.valid, verified.verification.firstBroken], [true, null])
    assert.equal(world.inFiles(/canary|Lovelace/i), undefined)
    assert.doesNotMatch(world.logs.join(''), /canary|Lovelace/i)
  })

  it('is audited, with who asked and how much there was, and changes nothing again', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'Hello')
    const first = await api('DELETE', `/v1/sessions/${session.id}/data`, undefined, asApp)
    const again = await api('DELETE', `/v1/sessions/${session.id}/data`)
    assert.deepEqual([again.status, again.body], [200, first.body])
    const entry = await named(api, session, 'data_erased')
    assert.deepEqual([entry.actor, entry.details], ['app', { events: 5, messages: 1 }])
    assert.deepEqual((await actionsOf(api, session)).slice(-2), ['session_closed', 'data_erased'])
  })

  it('fails what still waits in line, and keeps nothing of it', async (t) => {
    const world = await start(t)
    const { api, simulator } = world
    simulator.control.freezeRouting(true)
    const session = await createSession(api, { guest: person })
    const waiting = send(api, session, 'canary waits', { 'idempotency-key': 'waiting' })
    const accepted = await send(api, session, 'canary later', respondAsync)
    await until('both are in line', async () => {
      const { body } = await api('GET', `/v1/sessions/${session.id}`)
      return body.messages.outbound === 2
    })
    await api('DELETE', `/v1/sessions/${session.id}/data`)
    assert.equal((await waiting).body.code, 'session-closed')
    const message = await settled(api, session, accepted.body.id)
    assert.deepEqual([message.status, message.text], ['failed', ''])
    assert.equal(world.inFiles(/canary/i), undefined)
  })

  it('keeps the outcome of a message that was on its way, without its text', async (t) => {
    const world = await start(t)
    const { api, simulator } = world
    const session = await openSession(api, { guest: person })
    const operation = 'external-guests.sendMessage'
    simulator.control.faults.add({ kind: 'latency', latencyMs: 1000, count: 1, operation })
    const sending = send(api, session, 'canary on its way', { 'idempotency-key': 'on-its-way' })
    await until('it has left', async () => {
      const { items } = (await api('GET', `/v1/sessions/${session.id}/messages`)).body
      return items[0]?.status === 'sending'
    })
    await api('DELETE', `/v1/sessions/${session.id}/data`)
    assert.equal((await sending).body.status, 'sent')
    const { items } = (await api('GET', `/v1/sessions/${session.id}/messages`)).body
    assert.deepEqual([items[0].status, items[0].text], ['sent', ''])
    assert.equal(world.inFiles(/canary/i), undefined)
  })

  it('refuses a repeated request of before, rather than doing it again', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const body = { guest: person }
    const key = { 'idempotency-key': 'create' }
    const { body: session } = await api('POST', '/v1/sessions', body, key)
    await api('DELETE', `/v1/sessions/${session.id}/data`)
    simulator.control.received.clear()
    const again = await api('POST', '/v1/sessions', body, key)
    assert.deepEqual([again.status, again.body.code], [422, 'idempotency-key-reused'])
    assert.deepEqual(simulator.control.received.list(), [])
  })

  it('tells nobody of the guest once more: the end it makes comes without', async (t) => {
    const receiver = await startReceiver(t)
    const { api } = await startTestGateway(t, { environment: allowPrivate })
    await addWebhook(api, receiver.url)
    const session = await openSession(api, { guest: person, metadata })
    await until('it was told of', () => receiver.taken.at(-1)?.body.type === 'session.activated')
    const told = receiver.taken.length
    await api('DELETE', `/v1/sessions/${session.id}/data`)
    await until('its end was', () => receiver.taken.at(-1)?.body.type === 'session.closed')
    assert.equal(receiver.taken.length, told + 1)
    assert.doesNotMatch(receiver.taken.at(-1)?.text ?? 'canary', /canary/i)
    assert.equal(receiver.taken.at(-1)?.body.data.closeReason, 'closed by the caller')
  })

  it('lets webhooks that lag behind deliver the events without the guest', async (t) => {
    const receiver = await startReceiver(t, { usually: answers(503) })
    const clock = movingTime()
    const { api } = await startTestGateway(t, { environment: allowPrivate, overrides: { clock } })
    await addWebhook(api, receiver.url)
    const session = await openSession(api, { guest: person })
    await send(api, session, 'canary text')
    await receiver.arrived(1)
    await api('DELETE', `/v1/sessions/${session.id}/data`)
    receiver.usually(receiver.takes)
    const isDone = () => receiver.taken.some(({ body }) => body.type === 'session.closed')
    await passUntil(clock, isDone, 60_000)
    assert.equal(receiver.taken.length, 5)
    for (const { text } of receiver.taken) assert.doesNotMatch(text, /canary/i)
  })

  it('is ended by the next process when a crash broke it off', async (t) => {
    const folder = temporaryFolder(t)
    const file = path.join(folder, 'gateway.db')
    const first = await startTestGateway(t, { environment: { STORE: `sqlite:${file}` } })
    const session = await openSession(first.api, { guest: person })
    await send(first.api, session, 'canary text')
    await first.gateway[Symbol.asyncDispose]()
    // As a process leaves it that is killed after the session is rewritten and before its rows are.
    const db = new DatabaseSync(file)
    db.prepare("INSERT INTO notes (name, value) VALUES (?, 'begun')").run(`erasing ${session.id}`)
    db.close()
    const second = await startTestGateway(t, { environment: { STORE: `sqlite:${file}` } })
    const { body } = await second.api('GET', `/v1/sessions/${session.id}/messages`)
    assert.equal(body.items[0].text, '')
    await second.gateway[Symbol.asyncDispose]()
    using left = new DatabaseSync(file)
    const note = left.prepare("SELECT name FROM notes WHERE name LIKE 'erasing %'")
    assert.equal(note.get(), undefined)
  })

  it('does not know a session that is not there', async (t) => {
    const { api } = await startTestGateway(t)
    const answer = await api('DELETE', '/v1/sessions/gs_unknown/data')
    assert.deepEqual([answer.status, answer.body.code], [404, 'session-not-found'])
  })
})

async function start(t: TestContext) {
  const folder = temporaryFolder(t)
  const store = `sqlite:${path.join(folder, 'gateway.db')}`
  const gateway = await startTestGateway(t, { environment: { STORE: store } })
  return { ...gateway, ...hunt(gateway, folder) }
}

function hunt({ api }: TestGateway, folder: string) {
  return {
    /** The first file with it, and what it says there. */
    inFiles(pattern: RegExp): string | undefined {
      for (const name of readdirSync(folder)) {
        const text = readFileSync(path.join(folder, name)).toString('latin1')
        const at = text.search(pattern)
        if (at >= 0) return `${name} at ${at}: ${text.slice(at - 40, at + 60)}`
      }
      return undefined
    },
    async assertNone(route: string): Promise<void> {
      const { status, body } = await api('GET', route)
      assert.equal(status, 200, route)
      assert.doesNotMatch(JSON.stringify(body), /canary|Lovelace|fr-CA/i, route)
    },
    /** How many events there are; the session is over, so the stream ends. */
    async replayOf(id: string): Promise<number> {
      const { body } = await api('GET', `/v1/sessions/${id}/events?after=0`)
      assert.doesNotMatch(String(body), /canary|Lovelace|fr-CA/i)
      return String(body).split('\nid: ').length
    },
  }
}
