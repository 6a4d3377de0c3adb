import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Dialect, UpstreamGuest } from '../../../src/genesys/dialect.ts'
import { conversations } from '../../../src/genesys/dialects/conversations.ts'
import { externalGuests } from '../../../src/genesys/dialects/external-guests.ts'
import { guestSessions } from '../../../src/genesys/dialects/guest-sessions.ts'
import { messagingGuests } from '../../../src/genesys/dialects/messaging-guests.ts'
import { webMessaging } from '../../../src/genesys/dialects/web-messaging.ts'
import type { Json } from '../../../src/json.ts'
import { answered, at, newGuest } from './samples.ts'

const dialects = [externalGuests, guestSessions, conversations, messagingGuests, webMessaging]

const guest: UpstreamGuest = {
  guestId: 'guest-1',
  conversationId: 'conv-1',
  upstream: { guestSessionId: 'session-1', websocketUrl: 'wss://a.test', deploymentId: 'd-1' },
  secrets: { accessToken: 'fake', refreshToken: 'fake', webChatToken: 'fake', token: 'fake' },
}

/** Names and words the dialects look at, so that strange values come in the places that matter. */
const names =
  `type class code body text id messageId senderId event timestamp direction content events channel
  metadata eventType presence typing attachment url mime fileSize jwt exp connected readOnly expirationDate retryAfter
  errorCode errorMessage tracingId entities pageNumber pageCount accessToken refreshToken expiresAt websocketUrl
  conversationId initiator status createdAt sentTime deliveryStatus webChatToken message reason`.split(
    /\s+/,
  )
const words =
  `message ack typing conversationMetadata closed response SessionResponse StructuredMessage JwtResponse
  string ErrorMessage TooManyRequestsErrorMessage ConnectionClosedEvent Inbound Outbound Event Typing Presence On
  Disconnect Clear Text gateway:configure gateway:message:1 wss://a.test/b`.split(/\s+/)

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    fc.constantFrom<unknown>(...words, 200, 400, 403, 409, 4006, 4011, 5000, 0, -1, null, true, ''),
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 12 }),
  ),
}))
const status = fc.constantFrom(200, 201, 202, 204, 400, 404, 409, 413, 422)

describe('Every dialect', () => {
  for (const { name, createGuest, guestStatus, sendMessage, refreshToken, stream } of dialects) {
    it(`makes something of any answer and any frame, and throws at none: ${name}`, () => {
      const reads: ((body: unknown, status: number) => unknown)[] = []
      if ('response' in createGuest)
        reads.push((body, s) => createGuest.response(answered(s, body), newGuest()).kind)
      if (guestStatus) reads.push((body, s) => guestStatus.response(answered(s, body)).kind)
      if (sendMessage) reads.push((body, s) => sendMessage.response(answered(s, body)).kind)
      if (refreshToken)
        reads.push((body, s) => refreshToken.response(answered(s, body), guest).kind)
      if (stream) reads.push((body) => Array.isArray(stream.read(body as Json, guest, at)))
      const history = stream?.history
      if (history)
        reads.push((body, s) => {
          history.response(answered(s, { entities: [body, body] }), at)
          return history.response(answered(s, body), at)?.news ?? true
        })
      fc.assert(
        fc.property(value, status, (body, s) => {
          for (const read of reads) assert.ok(read(body, s))
        }),
        { numRuns: 2000 },
      )
    })
  }

  it('lists its parts in the same order as the others', () => {
    const order = Object.keys({
      name: 0,
      scopes: 0,
      needs: 0,
      capabilities: 0,
      createGuest: 0,
      guestStatus: 0,
      sendMessage: 0,
      refreshToken: 0,
      stream: 0,
    } satisfies Record<keyof Dialect, 0>)
    for (const dialect of dialects) {
      const parts = Object.keys(dialect)
      assert.deepEqual(
        parts,
        order.filter((part) => parts.includes(part)),
        dialect.name,
      )
      assert.deepEqual(
        Object.keys(dialect.capabilities),
        Object.keys(externalGuests.capabilities),
        dialect.name,
      )
    }
  })

  it('claims no more than it has parts for', () => {
    for (const { capabilities, sendMessage, refreshToken, stream, name } of dialects) {
      assert.equal(capabilities.transport === 'rest', sendMessage !== undefined, name)
      assert.equal(capabilities.transport === 'websocket', stream !== undefined, name)
      assert.equal(capabilities.tokenRefresh, refreshToken !== undefined, name)
      assert.equal(capabilities.typing, stream?.typing !== undefined, name)
      assert.equal(capabilities.closesUpstream, stream?.goodbye !== undefined, name)
      assert.equal(capabilities.receives, stream !== undefined, name)
    }
  })

  it('asks for the scopes its documents name (A4)', () => {
    assert.deepEqual(
      Object.fromEntries(dialects.map(({ name, scopes }) => [name, [...scopes].sort()])),
      {
        'external-guests': ['webmessaging:guest:read', 'webmessaging:guest:write'],
        'guest-sessions': ['webhooks:readwrite', 'webmessaging:guest', 'webmessaging:guest:write'],
        conversations: [
          'conversation:messaging:write',
          'identity:manage',
          'messaging:conversation:read',
          'messaging:conversation:write',
        ],
        'messaging-guests': ['webchat:guest:read', 'webchat:guest:send', 'webchat:guest:write'],
        'web-messaging': [],
      },
    )
  })
})
