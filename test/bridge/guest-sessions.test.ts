import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { openSession, respondAsync, send, settled, transcript } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { movingTime } from './support/moving-time.ts'
import { startOn, startPlatform } from './support/platform.ts'
import type { SocketServer } from './support/socket-server.ts'

const dialect = 'guest-sessions'
const guest = { name: 'Ada' }
const everything = { marketing: true, personalization: true, analytics: true }
const minute = 60_000

/** Acks every message, as the documents have it. */
function acking(server: SocketServer): void {
  let acked = 0
  server.onFrame = (socket, frame) => {
    if (frame.type === 'message') socket.send({ type: 'ack', messageId: `m-${++acked}` })
  }
}

describe('guest-sessions: consent (G5)', { concurrency: 4 }, () => {
  it('is asked for in EU, UK, CA and BR before anything reaches the platform', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    const lacking = [
      [undefined, ['/consent/marketing', '/consent/personalization']],
      [{ ...everything, marketing: false }, ['/consent/marketing']],
      [{ ...everything, personalization: false }, ['/consent/personalization']],
    ] as const
    for (const region of ['EU', 'UK', 'CA', 'BR', 'eu']) {
      for (const [consent, pointers] of lacking) {
        const asked = { dialect, guest, region, ...(consent && { consent }) }
        const { status, body } = await api('POST', '/v1/sessions', asked)
        assert.deepEqual([status, body.code], [422, 'consent-required'])
        assert.deepEqual(
          body.errors.map(({ pointer }: { pointer: string }) => pointer),
          pointers,
        )
      }
    }
    assert.deepEqual(platform.requests, [])
  })

  it('lets those pass who gave it, and every other region', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    const analyticsOff = { ...everything, analytics: false }
    for (const region of ['EU', 'UK', 'CA', 'BR']) {
      const created = await api('POST', '/v1/sessions', {
        dialect,
        guest,
        region,
        consent: analyticsOff,
      })
      assert.equal(created.status, 201)
    }
    for (const region of ['US', 'JP', 'California', undefined]) {
      const created = await api('POST', '/v1/sessions', { dialect, guest, region })
      assert.equal(created.status, 201)
    }
    const [first, , , , other] = platform.requests
    assert.equal(first?.body.guestAttributes.region, 'EU')
    const { consentTimestamp, ...flags } = first?.body.consent ?? {}
    assert.deepEqual(flags, analyticsOff)
    assert.ok(Date.parse(consentTimestamp) > Date.now() - minute)
    const { consentTimestamp: _, ...defaults } = other?.body.consent ?? {}
    assert.deepEqual(defaults, { marketing: false, personalization: false, analytics: true })
  })

  it('goes by STRICT_CONSENT_REGIONS', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform, { STRICT_CONSENT_REGIONS: 'JP, KR' })
    const create = (region: string) => api('POST', '/v1/sessions', { dialect, guest, region })
    assert.equal((await create('EU')).status, 201)
    assert.equal((await create('KR')).body.code, 'consent-required')
  })

  it('can change later, is written down each time, and cannot be taken back where it must be', async (t) => {
    const platform = await startPlatform(t)
    const { api, url } = await startOn(t, platform)
    const session = await openSession(api, { dialect, region: 'EU', consent: everything })
    const events = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    t.after(() => events.close())
    const change = (consent: object) => api('PUT', `/v1/sessions/${session.id}/consent`, consent)

    const changed = await change({ ...everything, analytics: false })
    assert.equal(changed.status, 200)
    const { recordedAt, ...flags } = changed.body.consent
    assert.deepEqual(flags, { ...everything, analytics: false })
    assert.ok(Date.parse(recordedAt) > Date.now() - minute)

    const refused = await change({ ...everything, marketing: false })
    assert.deepEqual([refused.status, refused.body.code], [422, 'consent-required'])
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.deepEqual(body.consent, changed.body.consent)
    await until('the change', () => events.types.includes('session.consent_changed'))
    const told = events.events.filter(({ data }) => data.type === 'session.consent_changed')
    assert.deepEqual(
      told.map(({ data }) => data.data.consent),
      [changed.body.consent],
    )

    await api('DELETE', `/v1/sessions/${session.id}`)
    assert.equal((await change(everything)).body.code, 'session-closed')
  })
})

describe('guest-sessions: creating (G4)', { concurrency: 4 }, () => {
  it('names the guest, with its attributes, source and region', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    await api('POST', '/v1/sessions', {
      dialect,
      guest: { id: 'visitor-9', name: 'Ada', attributes: { plan: 'pro' } },
      region: 'US',
      metadata: { sourceChannel: 'kiosk' },
    })
    await api('POST', '/v1/sessions', { dialect, guest })
    const [given, made] = platform.requests
    const { timestamp, ...attributes } = given?.body.guestAttributes ?? {}
    assert.equal(given?.body.channelConfigurationId, 'channel-1')
    assert.equal(given?.body.guestId, 'visitor-9')
    assert.deepEqual(attributes, { plan: 'pro', source: 'kiosk', region: 'US' })
    assert.ok(Date.parse(timestamp) > Date.now() - minute)
    assert.match(made?.body.guestId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  })

  it('reports a guest that is there already', async (t) => {
    const { api } = await startTestGateway(t)
    const asked = { dialect, guest: { ...guest, id: 'visitor-9' } }
    assert.equal((await api('POST', '/v1/sessions', asked)).status, 201)
    const { status, body } = await api('POST', '/v1/sessions', asked)
    assert.deepEqual([status, body.code, body.retryable], [409, 'guest-already-exists', false])
    assert.equal(body.upstream.status, 409)
  })

  for (const [form, write] of [
    ['with Z', (at: number) => new Date(at).toISOString()],
    [
      'with an offset',
      (at: number) => `${new Date(at - 3.5 * 3_600_000).toISOString().slice(0, 19)}-03:30`,
    ],
    ['without a zone', (at: number) => new Date(at).toISOString().slice(0, 19)],
    ['in epoch seconds', (at: number) => at / 1000],
    ['in epoch seconds as text', (at: number) => String(at / 1000)],
  ] as const) {
    it(`understands an end ${form}`, async (t) => {
      const platform = await startPlatform(t)
      const { api } = await startOn(t, platform)
      const endsAt = Math.floor(Date.now() / 1000) * 1000 + 3_600_000
      platform.amend = (_asked, body) => ({ ...body, expiresAt: write(endsAt) })
      const { body } = await api('POST', '/v1/sessions', { dialect, guest })
      assert.equal(body.tokenExpiresAt, new Date(endsAt).toISOString())
    })
  }
})

describe('guest-sessions: the socket (G7)', { concurrency: 4 }, () => {
  it('comes from an origin of the allowlist or not at all', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    for (const origin of ['https://evil.example', 'https://shop.example.evil.example', 'null']) {
      const { status, body } = await api('POST', '/v1/sessions', { dialect, guest, origin })
      assert.deepEqual([status, body.code], [403, 'origin-not-allowed'])
    }
    assert.deepEqual([platform.requests, platform.dials], [[], []])

    await openSession(api, { dialect, origin: 'https://www.shop.example' })
    await openSession(api, { dialect })
    assert.deepEqual(
      platform.dials.map(({ origin }) => origin),
      ['https://www.shop.example', undefined],
    )
  })

  it('goes where the platform says, whatever stands in that address already', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    platform.amend = (_asked, body) => ({
      ...body,
      websocketUrl: `${platform.url}/shard/7?channel=web&access_token=old#top`,
    })
    await openSession(api, { dialect })
    const dialled = new URL(platform.dials[0]?.url ?? '', platform.url)
    assert.equal(dialled.pathname, '/shard/7')
    assert.deepEqual(
      [...dialled.searchParams],
      [
        ['channel', 'web'],
        ['access_token', 'fake-access-1'],
      ],
    )
  })

  it('begins with the handshake, and messages follow a tenth of a second apart by default', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform, { GENESYS_FRAME_INTERVAL_MS: '' })
    acking(platform)
    const session = await openSession(api, { dialect })
    const startedAt = performance.now()
    for (const text of ['one', 'two', 'three', 'four']) {
      assert.equal((await send(api, session, text)).body.status, 'sent')
    }
    assert.ok(performance.now() - startedAt >= 280)
    const { frames } = await platform.socket(0)
    const [handshake, ...messages] = frames
    assert.equal(handshake?.type, 'handshake')
    assert.equal(handshake?.guestSessionId, 'guest-1')
    assert.ok(Date.parse(String(handshake?.timestamp)) > 0)
    assert.deepEqual(
      messages.map(({ type, text }) => [type, text]),
      ['one', 'two', 'three', 'four'].map((text) => ['message', text]),
    )
  })

  it('tells whatever has a text, and nothing of what has none', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    acking(platform)
    const session = await openSession(api, { dialect })
    const socket = await platform.socket(0)
    for (const frame of [
      { type: 'handshakeAck', guestSessionId: 'guest-1' },
      { type: 'ack', guestSessionId: 'guest-1' },
      { type: 'presence', online: true },
      { type: 'message', text: 'plain', messageId: 'a-1' },
      { kind: 'novel', id: 7, text: 'of a kind nobody knows', extra: { a: 1 } },
      { type: 'announcement', text: 'Closed on Sunday' },
    ]) {
      socket.send(frame)
    }
    const inbound = await until('all with a text', async () => {
      const said = await transcript(api, session)
      return said.length === 3 && said
    })
    assert.deepEqual(
      inbound.map(({ text, upstreamId }) => [text, upstreamId]),
      [
        ['plain', 'a-1'],
        ['of a kind nobody knows', '7'],
        ['Closed on Sunday', null],
      ],
    )
    assert.equal((await send(api, session, 'Still here')).body.status, 'sent')
  })
})

describe('guest-sessions: rotation (G6)', { concurrency: 4 }, () => {
  it('replaces a short-lived token by itself, and the socket lives on', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    simulator.control.configure({ guestSessions: { guestTokenTtlSeconds: 1.2 } })
    const session = await openSession(api, { dialect })
    const before = simulator.control.sockets.list()
    const rotations = () => simulator.control.received.list('guest-sessions.refreshSession').length
    await until('three rotations', () => rotations() >= 3)
    assert.deepEqual(
      simulator.control.sockets.list().map(({ id }) => id),
      before.map(({ id }) => id),
    )
    assert.equal((await send(api, session, 'after all that')).body.status, 'sent')
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.deepEqual([body.state, body.stream.reconnects], ['active', 0])
    assert.ok(
      simulator.control.received
        .list('guest-sessions.refreshSession')
        .every(({ answeredStatus }) => answeredStatus === 200),
    )
  })

  it('dials again with the new token', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    const session = await openSession(api, { dialect })
    const refreshed = await api('POST', `/v1/sessions/${session.id}/refresh`)
    assert.equal(refreshed.status, 200)
    assert.equal(platform.dials.length, 1, 'the open socket is left alone')
    assert.deepEqual(platform.asked('/refresh')[0]?.body, { refreshToken: 'fake-refresh-1' })
    const { ws } = await platform.socket(0)
    ws.terminate()
    await platform.socket(1)
    assert.match(platform.dials[1]?.url ?? '', /access_token=fake-access-2/)
  })

  it('is one for all who ask at the same time', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api, { dialect })
    const operation = 'guest-sessions.refreshSession'
    simulator.control.faults.add({ kind: 'latency', latencyMs: 100, operation })
    const answers = await Promise.all(
      [1, 2, 3].map(() => api('POST', `/v1/sessions/${session.id}/refresh`)),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200],
    )
    assert.equal(simulator.control.received.list(operation).length, 1)
  })

  it('survives a restart: what was rotated is what is used, and a spent token never again', async (t) => {
    const platform = await startPlatform(t)
    const store = { STORE: `sqlite:${path.join(temporaryFolder(t), 'gateway.db')}` }
    const first = await startOn(t, platform, store)
    const session = await openSession(first.api, { dialect })
    await first.api('POST', `/v1/sessions/${session.id}/refresh`)
    await first.gateway[Symbol.asyncDispose]()

    const second = await startOn(t, platform, store)
    await platform.socket(1)
    assert.match(platform.dials[1]?.url ?? '', /access_token=fake-access-2/)
    await second.api('POST', `/v1/sessions/${session.id}/refresh`)
    assert.deepEqual(
      platform.asked('/refresh').map(({ body }) => body.refreshToken),
      ['fake-refresh-1', 'fake-refresh-2'],
    )
  })

  it('takes up a token that has less than fifteen minutes left, or none, after a restart', async (t) => {
    const platform = await startPlatform(t)
    const store = { STORE: `sqlite:${path.join(temporaryFolder(t), 'gateway.db')}` }
    const first = await startOn(t, platform, store)
    const session = await openSession(first.api, { dialect })
    await first.gateway[Symbol.asyncDispose]()
    for (const [away, spent] of [
      [50 * minute, 'fake-refresh-1'],
      [170 * minute, 'fake-refresh-2'],
    ] as const) {
      const clock = movingTime()
      clock.advance(away)
      const dials = platform.dials.length
      const next = await startOn(t, platform, store, { clock })
      const refreshes = platform.asked('/refresh')
      await until('the rotation', () => platform.asked('/refresh').length > refreshes.length - 1)
      await until(`${spent} is spent`, () =>
        platform.asked('/refresh').some(({ body }) => body.refreshToken === spent),
      )
      await until('the dial', () => platform.dials.length > dials)
      await until('it is active', async () => {
        const { body } = await next.api('GET', `/v1/sessions/${session.id}`)
        assert.equal(body.state, 'active')
        return body.stream.state === 'open'
      })
      await next.gateway[Symbol.asyncDispose]()
    }
    const spent = platform.asked('/refresh').map(({ body }) => body.refreshToken)
    assert.equal(new Set(spent).size, spent.length)
  })

  it('after a 401 at the socket dials again with a new token', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const session = await openSession(api, { dialect })
    const operation = 'guest-sessions.connect'
    simulator.control.faults.add({ kind: 'status', status: 401, operation, count: 1 })
    simulator.control.sockets.drop()
    assert.equal((await send(api, session, 'after that')).body.status, 'sent')
    assert.equal(simulator.control.received.list('guest-sessions.refreshSession').length, 1)
    const dials = simulator.control.received
      .list(operation)
      .filter(({ method }) => method === 'GET')
    assert.deepEqual(
      dials.map(({ answeredStatus }) => answeredStatus),
      [101, 401, 101],
    )
  })

  for (const missing of ['accessToken', 'refreshToken', 'expiresAt'] as const) {
    it(`goes on with the ${missing} it had where the answer has none`, async (t) => {
      const { api, simulator } = await startTestGateway(t)
      const session = await openSession(api, { dialect })
      simulator.control.configure({ guestSessions: { refreshLeavesOut: [missing] } })
      for (const round of [1, 2]) {
        const { status, body } = await api('POST', `/v1/sessions/${session.id}/refresh`)
        assert.deepEqual([status, body.state], [200, 'active'], `round ${round}`)
      }
      simulator.control.sockets.drop()
      assert.equal((await send(api, session, 'after that')).body.status, 'sent')
    })
  }

  for (const status of [400, 401, 404] as const) {
    it(`ends the session, its stream and its line when the refresh token is dead (${status})`, async (t) => {
      const { api, simulator } = await startTestGateway(t)
      const session = await openSession(api, { dialect })
      simulator.control.configure({ guestSessions: { deadRefreshStatus: status } })
      simulator.control.configure({ guestSessions: { acks: false, expiredSocket: 'stays' } })
      const waiting = [
        await send(api, session, 'on its way', respondAsync),
        await send(api, session, 'behind it', respondAsync),
      ]
      const there = () => simulator.control.conversation(session.guestId)?.messages
      await until('the first is there', () => there()?.length === 1)
      simulator.control.expire(session.guestId)
      const refused = await api('POST', `/v1/sessions/${session.id}/refresh`)
      assert.deepEqual([refused.status, refused.body.code], [409, 'session-closed'])
      const { body } = await api('GET', `/v1/sessions/${session.id}`)
      assert.equal(body.state, 'expired')
      assert.match(body.closeReason, /^the refresh token is spent/)
      await simulator.control.sockets.settled(0)
      assert.equal((await api('GET', '/v1/stats')).body.streams.upstream, 0)
      const [first, second] = await Promise.all(
        waiting.map(({ body }) => settled(api, session, body.id)),
      )
      assert.equal(first.status, 'unconfirmed')
      assert.deepEqual([second.status, second.error.code], ['failed', 'session-closed'])
    })
  }
})

describe('guest-sessions: the id of the conversation', () => {
  it('is learned from metadata that names it, once, and found by it from then on', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    const session = await openSession(api, { dialect })
    assert.equal(session.conversationId, null)
    const socket = await platform.socket(0)
    const joined = { type: 'conversationMetadata', event: 'agentJoined' }
    for (const conversationId of ['conversation-7', 'conversation-8']) {
      socket.send({ ...joined, conversationId })
    }
    socket.send({ type: 'message', messageId: 'a-1', text: 'Hello' })
    await until('what follows', async () => (await transcript(api, session)).length === 1)
    const { body } = await api('GET', `/v1/sessions/${session.id}`)
    assert.equal(body.conversationId, 'conversation-7')
    const found = await api('GET', '/v1/sessions?conversationId=conversation-7')
    assert.deepEqual(
      found.body.items.map(({ id }: { id: string }) => id),
      [session.id],
    )
  })
})
