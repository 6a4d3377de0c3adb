import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { UpstreamGuest } from '../../../src/genesys/dialect.ts'
import { messagingGuests } from '../../../src/genesys/dialects/messaging-guests.ts'
import { answered, at, hosts, newGuest, notJson, outbound, refused } from './samples.ts'

const { createGuest, stream } = messagingGuests
assert.ok('request' in createGuest && stream)

const guest: UpstreamGuest = {
  guestId: 'guest-1',
  conversationId: 'conv-1',
  upstream: {},
  secrets: { webChatToken: 'fake-web-chat-token' },
}
const registered = {
  id: 'guest-1',
  conversationId: 'conv-1',
  webChatToken: 'fake-web-chat-token',
  name: 'Ada',
}

describe('messaging-guests: registering (G10)', () => {
  it('sends what the document shows (G1)', () => {
    const { path, body } = createGuest.request(
      newGuest({
        guest: { id: null, name: 'Ada', email: 'ada@example.com', locale: 'en-US', attributes: {} },
        routing: { queueId: 'queue-1', priority: 3, skills: ['billing'] },
      }),
    )
    assert.equal(path, '/api/v2/conversations/messaging/guests')
    assert.deepEqual(body, {
      name: 'Ada',
      email: 'ada@example.com',
      locale: 'en-US',
      queueId: 'queue-1',
      routingData: { priority: 3, skillRequirements: ['billing'] },
    })
  })

  it("sends the document's own routing where none is asked for", () => {
    assert.deepEqual(createGuest.request(newGuest()).body, {
      name: 'Ada',
      routingData: { priority: 1, skillRequirements: [] },
    })
  })

  for (const status of [200, 201, 202]) {
    it(`keeps ids and the token for one socket (${status})`, () => {
      assert.deepEqual(createGuest.response(answered(status, registered), newGuest()), {
        kind: 'created',
        guest,
        state: 'pending',
        tokenExpiresAt: null,
      })
    })
  }

  it('cannot use an answer that lacks one of them', () => {
    const { webChatToken: _, ...tokenless } = registered
    for (const answer of [notJson, answered(201, tokenless), answered(201, { id: 1 })]) {
      assert.equal(createGuest.response(answer, newGuest()).kind, 'unreadable')
    }
  })

  it("hands on the platform's no", () => {
    const outcome = createGuest.response(refused(400, 'no such queue'), newGuest())
    assert.equal(outcome.kind === 'rejected' && outcome.code, 'upstream-rejected')
  })
})

describe('messaging-guests: the stream (G10)', () => {
  it('dials the messaging host once, with the token in the query', () => {
    const odd = { ...guest, guestId: 'guest/1', secrets: { webChatToken: 'fake+token&x' } }
    const { url, ...rest } = stream.open(odd, hosts, at)
    assert.equal(
      url,
      'wss://messaging.example.test/api/v2/conversations/messaging/guests/guest%2F1/websocket?webChatToken=fake%2Btoken%26x',
    )
    assert.deepEqual(rest, { origin: null, frames: [], readyWhen: 'opened' })
    assert.equal(stream.resumable, false)
  })

  it('sends a message as the document shows, one at a time', () => {
    assert.deepEqual(stream.message(guest, outbound()), {
      frame: {
        type: 'message',
        conversationId: 'conv-1',
        senderId: 'guest-1',
        text: 'Where is my order?',
        messageType: 'text',
      },
      ackKey: null,
    })
  })

  it('hears the agent and not itself', () => {
    const frame = { type: 'message', conversationId: 'conv-1', text: 'Hello', messageType: 'text' }
    const [news] = stream.read({ ...frame, senderId: 'agent-7' }, guest, at)
    assert.equal(news?.kind, 'message')
    assert.deepEqual(stream.read({ ...frame, senderId: 'guest-1' }, guest, at), [])
  })
})
