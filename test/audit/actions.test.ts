import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { until } from '../support/until.ts'
import { actionsOf, entriesOf, named } from './support.ts'

const consent = { marketing: true, personalization: true, analytics: false }
const asApp = { authorization: 'Bearer test-app-key' }

describe('The audit of a session (E3)', { concurrency: 4 }, () => {
  it('names who created it, with region, consent, queue and latency: session_created', async (t) => {
    const { api } = await startTestGateway(t)
    const body = { guest: { name: 'Ada' }, region: 'EU', consent, metadata: { botScore: 0.12 } }
    const { body: session } = await api('POST', '/v1/sessions', body, asApp)
    const created = await named(api, session, 'session_created')
    const given = await named(api, session, 'consent_given')
    const { latencyMs, ...details } = created.details
    assert.ok(latencyMs >= 0)
    assert.deepEqual(
      [created.action, created.actor, created.sessionId, created.previousHash],
      ['session_created', 'app', session.id, null],
    )
    assert.deepEqual(details, {
      dialect: 'external-guests',
      region: 'EU',
      consent,
      queueId: 'queue-test',
      conversationId: session.conversationId,
      botScore: 0.12,
    })
    assert.deepEqual([given.action, given.actor], ['consent_given', 'app'])
    assert.deepEqual(given.details, { region: 'EU', ...consent })
  })

  it('names every change of consent with what it was: consent_changed', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api, { consent })
    const now = { ...consent, analytics: true }
    await api('PUT', `/v1/sessions/${session.id}/consent`, now, asApp)
    const changed = await named(api, session, 'consent_changed')
    assert.equal(changed.actor, 'app')
    assert.deepEqual(changed.details, { region: null, ...now, before: consent })
  })

  it('names a message with type, bytes, latency, status and upstream id: message_transmitted', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    const { body: message } = await send(api, session, 'Grüße 🙂', asApp)
    const sent = await named(api, session, 'message_transmitted')
    assert.equal(sent.actor, 'app')
    assert.deepEqual(sent.details, {
      messageId: message.id,
      author: 'bot',
      conversationId: session.conversationId,
      contentType: 'text/plain',
      payloadBytes: Buffer.byteLength('Grüße 🙂'),
      attachments: 0,
      attempts: 1,
      latencyMs: message.latencyMs,
      status: 'sent',
      upstreamId: message.upstreamId,
      error: null,
    })
  })

  it('names a message that failed, or may have, with the code of its error', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api)
    const operation = 'external-guests.sendMessage'
    simulator.control.faults.add({ kind: 'status', status: 400, count: 1, operation })
    await send(api, session, 'refused')
    simulator.control.faults.add({ kind: 'reset', when: 'after', count: 1, operation })
    await send(api, session, 'lost')
    const sent = (await entriesOf(api, session)).filter((e) => e.action === 'message_transmitted')
    const outcomes = sent.map(({ details }) => [details.status, details.error])
    assert.equal(outcomes[0]?.[0], 'failed')
    assert.match(String(outcomes[0]?.[1]), /^upstream-/)
    assert.equal(outcomes[1]?.[0], 'unconfirmed')
  })

  it('names activation and closing: session_activated, session_closed', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'Hello')
    await api('DELETE', `/v1/sessions/${session.id}`, undefined, asApp)
    assert.deepEqual(await actionsOf(api, session), [
      'session_created',
      'session_activated',
      'message_transmitted',
      'session_closed',
    ])
    const closed = await named(api, session, 'session_closed')
    const { durationMs, ...details } = closed.details
    assert.ok(durationMs >= 0)
    assert.equal(closed.actor, 'app')
    const messages = { outbound: 1, inbound: 0, failed: 0 }
    assert.deepEqual(details, { reason: 'closed by the caller', messages })
  })

  it('names the stream with its origin, its loss and the rotation of its token', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const origin = 'https://shop.example'
    const session = await createSession(api, { dialect: 'guest-sessions', origin, consent })
    const connected = await until('the stream is open', async () =>
      (await entriesOf(api, session)).find(({ action }) => action === 'websocket_connected'),
    )
    assert.deepEqual([connected.actor, connected.details], [null, { origin, reconnects: 0 }])

    await api('POST', `/v1/sessions/${session.id}/refresh`, undefined, asApp)
    const rotated = await named(api, session, 'token_rotated')
    assert.equal(rotated.actor, 'app')
    assert.ok(Date.parse(rotated.details.tokenExpiresAt) > Date.now())

    simulator.control.sockets.drop()
    const lost = await until('the stream is lost', async () =>
      (await entriesOf(api, session)).find(({ action }) => action === 'websocket_lost'),
    )
    assert.deepEqual(lost.details, { reconnects: 1 })
  })

  it('is numbered through, and each entry has the hash of the one before it', async (t) => {
    const { api } = await startTestGateway(t)
    const sessions = await Promise.all([openSession(api), openSession(api)])
    for (const session of [...sessions, ...sessions]) await send(api, session, 'Hello')
    const { body } = await api('GET', '/v1/audit?limit=200')
    assert.deepEqual(
      body.items.map(({ number }: { number: number }) => number),
      body.items.map((_: unknown, index: number) => index + 1),
    )
    for (const session of sessions) {
      const entries = await entriesOf(api, session)
      const hashes = entries.map(({ hash }) => hash)
      const previous = entries.map(({ previousHash }) => previousHash)
      assert.deepEqual(previous, [null, ...hashes.slice(0, -1)])
    }
  })
})

describe('GET /v1/audit', { concurrency: 4 }, () => {
  it('is read by page, oldest first, narrowed by session, action and time', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    for (const text of ['a', 'b', 'c']) await send(api, session, text)
    await openSession(api)
    const pages = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { body } = await api('GET', `/v1/audit?limit=2${cursor && `&cursor=${cursor}`}`)
      pages.push(body.items)
      cursor = body.nextCursor
    }
    assert.deepEqual(
      pages.map(({ length }) => length),
      [2, 2, 2, 1],
    )
    const all = pages.flat()
    const query = async (text: string) => (await api('GET', `/v1/audit?${text}`)).body.items
    assert.deepEqual(
      await query(`sessionId=${session.id}&action=message_transmitted`),
      all.filter((e) => e.sessionId === session.id && e.action === 'message_transmitted'),
    )
    const [, , third] = all
    const after = encodeURIComponent(third.at)
    assert.deepEqual(
      await query(`after=${after}`),
      all.filter(({ at }) => at >= third.at),
    )
    assert.deepEqual(
      await query(`before=${after}`),
      all.filter(({ at }) => at < third.at),
    )
    assert.deepEqual(await query('sessionId=gs_unknown'), [])
  })

  it('refuses a cursor of another list', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'a')
    const { nextCursor } = (await api('GET', '/v1/audit?limit=1')).body
    const answer = await api('GET', `/v1/audit?cursor=${nextCursor}&action=session_created`)
    assert.deepEqual([answer.status, answer.body.code], [400, 'invalid-request'])
  })

  it('streams the same entries as lines, and last a seal that says who asked', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'a')
    const headers = { accept: 'application/x-ndjson', authorization: 'Bearer test-ops-key' }
    const answer = await api('GET', '/v1/audit', undefined, headers)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/x-ndjson/)
    const lines = String(answer.body).trimEnd().split('\n')
    const entries = lines.map((line) => JSON.parse(line))
    assert.deepEqual(entries.slice(0, -1), (await api('GET', '/v1/audit')).body.items)
    const seal = entries.at(-1)
    assert.deepEqual([seal.action, seal.actor, seal.number], ['audit_exported', 'ops', null])
    assert.equal(seal.details.entries, entries.length - 1)
  })

  it('says with ?verify=true that every entry is as it was written', async (t) => {
    const { api } = await startTestGateway(t)
    const session = await openSession(api)
    await send(api, session, 'a')
    const { body } = await api('GET', '/v1/audit?verify=true&limit=1')
    assert.deepEqual(body.verification, { valid: true, checked: 3, firstBroken: null })
    assert.equal((await api('GET', '/v1/audit')).body.verification, undefined)
  })
})
