import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { UpstreamGuest } from '../../../src/genesys/dialect.ts'
import { guestSessions } from '../../../src/genesys/dialects/guest-sessions.ts'
import {
  answered,
  at,
  atIso,
  hosts,
  newGuest,
  notJson,
  outbound,
  refused,
  uuid,
} from './samples.ts'

const { createGuest, refreshToken, stream } = guestSessions
assert.ok('request' in createGuest && refreshToken && stream)

const createdBody = {
  id: 'session-1',
  accessToken: 'fake-access-1',
  refreshToken: 'fake-refresh-1',
  expiresAt: '2026-03-04T10:30:00Z',
  websocketUrl: 'wss://stream.example.test/guests?shard=3',
}
const anHourLater = at + 3_600_000
const guest: UpstreamGuest = {
  guestId: 'visitor-9',
  conversationId: null,
  upstream: {
    guestSessionId: 'session-1',
    websocketUrl: createdBody.websocketUrl,
    origin: 'https://shop.example',
    tokenExpiresAt: anHourLater,
  },
  secrets: { accessToken: 'fake-access-1', refreshToken: 'fake-refresh-1' },
}

describe('guest-sessions: creating', () => {
  it('sends what the document shows when only a name is known (G4, G5)', () => {
    const { operation, method, path, body } = createGuest.request(newGuest())
    assert.deepEqual(
      [operation, method, path],
      ['createGuest', 'POST', '/api/v2/webmessaging/guest-sessions'],
    )
    assert.deepEqual(body, {
      channelConfigurationId: 'channel-config-1',
      guestId: uuid,
      guestAttributes: { source: 'web', region: 'US', timestamp: atIso },
      consent: {
        marketing: false,
        personalization: false,
        analytics: true,
        consentTimestamp: atIso,
      },
    })
  })

  it('sends the given id, region, consent, source and attributes (G4, G5)', () => {
    const attributes = { plan: 'pro', region: 'elsewhere' }
    const { body } = createGuest.request(
      newGuest({
        guest: { id: 'visitor-9', name: 'Ada', email: null, locale: null, attributes },
        region: 'EU',
        consent: {
          marketing: true,
          personalization: true,
          analytics: false,
          recordedAt: at - 1000,
        },
        metadata: { source_channel: 'kiosk' },
      }),
    )
    assert.deepEqual(body, {
      channelConfigurationId: 'channel-config-1',
      guestId: 'visitor-9',
      guestAttributes: { plan: 'pro', source: 'kiosk', region: 'EU', timestamp: atIso },
      consent: {
        marketing: true,
        personalization: true,
        analytics: false,
        consentTimestamp: '2026-03-04T09:29:59.000Z',
      },
    })
  })

  for (const status of [200, 201, 202]) {
    it(`keeps tokens apart from the rest (${status})`, () => {
      const input = newGuest({
        guest: { id: 'visitor-9', name: 'Ada', email: null, locale: null, attributes: {} },
        origin: 'https://shop.example',
      })
      assert.deepEqual(createGuest.response(answered(status, createdBody), input), {
        kind: 'created',
        guest,
        state: 'pending',
        tokenExpiresAt: anHourLater,
      })
    })
  }

  it('does without an end', () => {
    const { expiresAt: _, ...endless } = createdBody
    const made = createGuest.response(answered(201, endless), newGuest())
    assert.equal(made.kind === 'created' && made.tokenExpiresAt, null)
  })

  it('reads a numeric id and takes no end it could not move', () => {
    const body = { ...createdBody, id: 77, refreshToken: undefined }
    const made = createGuest.response(answered(201, body), newGuest())
    assert.ok(made.kind === 'created')
    assert.equal(made.guest.upstream.guestSessionId, '77')
    assert.equal(made.tokenExpiresAt, null)
  })

  it('says that the guest exists already when the id is taken (G4)', () => {
    const outcome = createGuest.response(refused(409, 'guestId is in use', 'conflict'), newGuest())
    assert.ok(outcome.kind === 'rejected')
    assert.equal(outcome.code, 'guest-already-exists')
    assert.deepEqual(outcome.platform, {
      status: 409,
      code: 'conflict',
      message: 'guestId is in use',
      contextId: 'context-1',
    })
  })

  it('hands on any other no', () => {
    const outcome = createGuest.response(refused(400, 'no such channel'), newGuest())
    assert.equal(outcome.kind === 'rejected' && outcome.code, 'upstream-rejected')
  })

  const unusable: unknown[] = [
    undefined,
    [],
    { ...createdBody, id: null },
    { ...createdBody, accessToken: '' },
    { ...createdBody, websocketUrl: 'not a url' },
    { ...createdBody, websocketUrl: 'https://stream.example.test' },
  ]
  for (const body of unusable) {
    it(`cannot use ${JSON.stringify(body) ?? 'an empty answer'}`, () => {
      assert.equal(createGuest.response(answered(201, body), newGuest()).kind, 'unreadable')
    })
  }
})

describe('guest-sessions: refreshing the token (G6)', () => {
  it('presents the refresh token once', () => {
    const odd = { ...guest, upstream: { ...guest.upstream, guestSessionId: 'session/1' } }
    assert.deepEqual(refreshToken.request(odd), {
      operation: 'refreshToken',
      method: 'POST',
      path: '/api/v2/webmessaging/guest-sessions/session%2F1/refresh',
      body: { refreshToken: 'fake-refresh-1' },
      scopes: ['webmessaging:guest', 'webmessaging:guest:write'],
      repeatable: false,
    })
  })

  it('cannot without one', () => {
    const bare = { ...guest, secrets: { accessToken: 'fake-access-1', refreshToken: null } }
    assert.throws(() => refreshToken.request(bare), { code: 'not-supported-by-dialect' })
  })

  it('replaces what the answer names', () => {
    const body = {
      accessToken: 'fake-access-2',
      refreshToken: 'fake-refresh-2',
      expiresAt: anHourLater / 1000 + 3600,
      websocketUrl: 'wss://other.example.test/guests',
    }
    const tokenExpiresAt = anHourLater + 3_600_000
    assert.deepEqual(refreshToken.response(answered(200, body), guest), {
      kind: 'refreshed',
      guest: {
        ...guest,
        upstream: { ...guest.upstream, websocketUrl: body.websocketUrl, tokenExpiresAt },
        secrets: { accessToken: 'fake-access-2', refreshToken: 'fake-refresh-2' },
      },
      tokenExpiresAt,
    })
  })

  it('keeps what the answer leaves out, and of a whole session the guest only', () => {
    const session = { ...guest, version: 7, state: 'active' }
    const outcome = refreshToken.response(answered(200, { accessToken: 'fake-access-2' }), session)
    assert.deepEqual(outcome, {
      kind: 'refreshed',
      guest: { ...guest, secrets: { ...guest.secrets, accessToken: 'fake-access-2' } },
      tokenExpiresAt: anHourLater,
    })
  })

  for (const status of [400, 401, 404]) {
    it(`knows a dead refresh token by ${status}`, () => {
      const outcome = refreshToken.response(refused(status, 'refresh token is spent'), guest)
      assert.equal(outcome.kind, 'dead')
      assert.match(outcome.kind === 'dead' ? outcome.detail : '', /refresh token is spent/)
    })
  }

  it('gives no guest up for an answer that says nothing of the token', () => {
    for (const answer of [notJson, answered(204), refused(408, 'slow'), refused(409, 'busy')]) {
      assert.equal(refreshToken.response(answer, guest).kind, 'unreadable')
    }
  })
})

describe('guest-sessions: the stream (G7)', () => {
  it('dials with token and origin and shakes hands first', () => {
    assert.deepEqual(stream.open(guest, hosts, at), {
      url: 'wss://stream.example.test/guests?shard=3&access_token=fake-access-1',
      origin: 'https://shop.example',
      frames: [{ type: 'handshake', guestSessionId: 'session-1', timestamp: atIso }],
      readyWhen: 'opened',
    })
  })

  it('puts the newest token in the place of one the address carries, whatever characters it has', () => {
    const { url } = stream.open(
      {
        ...guest,
        upstream: { ...guest.upstream, websocketUrl: 'ws://127.0.0.1:9/ws?access_token=old' },
        secrets: { accessToken: 'fake&new=+/token' },
      },
      hosts,
      at,
    )
    assert.deepEqual(new URL(url).searchParams.getAll('access_token'), ['fake&new=+/token'])
  })

  it('sends text and time and nothing an ack could name', () => {
    assert.deepEqual(stream.message(guest, outbound()), {
      frame: { type: 'message', text: 'Where is my order?', timestamp: atIso },
      ackKey: null,
    })
  })

  it('takes an ack for a message, but not one of the handshake', () => {
    const ack = { type: 'ack', messageId: 'm-1', guestSessionId: 'session-1' }
    assert.deepEqual(stream.read(ack, guest, at), [{ kind: 'ack', key: null, upstreamId: 'm-1' }])
    const handshake = { type: 'ack', guestSessionId: 'session-1' }
    assert.equal(stream.read(handshake, guest, at)[0]?.kind, 'unknown')
  })

  it('does not hear the guest itself, by either of its ids', () => {
    for (const senderId of ['visitor-9', 'session-1']) {
      assert.deepEqual(stream.read({ type: 'message', senderId, text: 'Mine' }, guest, at), [])
    }
  })
})
