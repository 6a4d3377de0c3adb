import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { UpstreamGuest } from '../../../src/genesys/dialect.ts'
import { conversations } from '../../../src/genesys/dialects/conversations.ts'
import { answered, at, newGuest, notJson, outbound, refused, uuid } from './samples.ts'

const { createGuest, sendMessage } = conversations
assert.ok('request' in createGuest && sendMessage)

const guest: UpstreamGuest = {
  guestId: 'visitor-9',
  conversationId: 'conv-1',
  upstream: {},
  secrets: null,
}

describe('conversations: creating (G8)', () => {
  it('sends initiator, queue and metadata as the document shows', () => {
    const { path, body, scopes } = createGuest.request(
      newGuest({
        guest: { id: 'visitor-9', name: 'Ada', email: null, locale: null, attributes: {} },
        routing: { queueId: 'queue-1', priority: null, skills: [] },
        metadata: { bot_score: 0.12, source_channel: 'web_portal', external_session_id: 'ext-1' },
      }),
    )
    assert.equal(path, '/api/v2/conversations/messaging')
    assert.deepEqual(scopes, ['conversation:messaging:write', 'identity:manage'])
    assert.deepEqual(body, {
      type: 'messaging',
      initiator: { type: 'external', id: 'visitor-9', name: 'Ada' },
      to: { id: 'queue-1', type: 'routingQueue' },
      metadata: { bot_score: 0.12, source_channel: 'web_portal', external_session_id: 'ext-1' },
    })
  })

  it('leaves out what there is not', () => {
    const routing = { queueId: 'queue-1', priority: null, skills: [] }
    assert.deepEqual(createGuest.request(newGuest({ routing })).body, {
      type: 'messaging',
      initiator: { type: 'external', id: uuid, name: 'Ada' },
      to: { id: 'queue-1', type: 'routingQueue' },
    })
  })

  it('refuses a conversation without a queue before anything leaves', () => {
    assert.throws(() => createGuest.request(newGuest()), { code: 'invalid-request' })
  })

  const spellings: [string, unknown][] = [
    ['id', { id: 'conv-1' }],
    ['conversationId', { conversationId: 'conv-1' }],
    ['conversation_id', { conversation_id: 'conv-1', id: null }],
    ['both, the plainer one first', { id: 'other', conversationId: 'conv-1' }],
  ]
  for (const [name, ids] of spellings) {
    it(`finds the conversation by ${name}, at once active`, () => {
      const body = { ...(ids as object), initiator: { type: 'external', id: 'visitor-9' } }
      assert.deepEqual(createGuest.response(answered(201, body), newGuest()), {
        kind: 'created',
        guest,
        state: 'active',
        tokenExpiresAt: null,
      })
    })
  }

  it('reads numbers as ids, and keeps the id it sent when the answer names none', () => {
    for (const initiator of [undefined, null, {}, 'nobody', { id: {} }]) {
      const made = createGuest.response(answered(200, { id: 4711, initiator }), newGuest())
      assert.ok(made.kind === 'created')
      assert.deepEqual([made.guest.conversationId, made.guest.guestId], ['4711', uuid])
    }
  })

  it('cannot use an answer without a conversation', () => {
    for (const answer of [notJson, answered(202), answered(201, {}), answered(201, { id: '' })]) {
      assert.equal(createGuest.response(answer, newGuest()).kind, 'unreadable')
    }
  })

  it('names the metadata when the platform finds it too large', () => {
    const outcome = createGuest.response(answered(413), newGuest())
    assert.equal(outcome.kind === 'rejected' && outcome.code, 'metadata-too-large')
  })
})

describe('conversations: sending (M1, M2)', () => {
  it('sends author, content, receipt and time as the document shows', () => {
    const { path, body, repeatable } = sendMessage.request(guest, outbound({ author: 'bot' }))
    assert.equal(path, '/api/v2/conversations/messaging/messages')
    assert.equal(repeatable, false)
    assert.deepEqual(body, {
      from: { id: 'visitor-9', type: 'bot' },
      to: { id: 'conv-1', type: 'conversation' },
      body: { contentType: 'text/plain', content: 'Where is my order?' },
      metadata: { readReceipt: true, transmissionTimestamp: '2026-03-04T09:30:00.000Z' },
    })
  })

  it('sends attachments under the names of the document', () => {
    const attachment = {
      contentType: 'image/png',
      url: 'https://files.example.test/a.png',
      fileName: 'a.png',
      sizeBytes: 1024,
    }
    const { body } = sendMessage.request(guest, outbound({ attachments: [attachment] }))
    assert.deepEqual(body?.attachments, [
      {
        contentType: 'image/png',
        url: 'https://files.example.test/a.png',
        fileName: 'a.png',
        size: 1024,
      },
    ])
  })

  it('reads id, time and delivery status', () => {
    const body = { id: 'm-1', sentTime: '2026-03-04T09:30:00', deliveryStatus: 'delivered' }
    assert.deepEqual(sendMessage.response(answered(200, body)), {
      kind: 'sent',
      upstreamId: 'm-1',
      upstreamStatus: 'delivered',
      sentAt: at,
    })
  })

  it('is content with an id, and with nothing at all after 202', () => {
    const bare = { kind: 'sent', upstreamStatus: null, sentAt: null }
    for (const body of [{ id: 5 }, { id: 5, sentTime: {}, deliveryStatus: 3 }]) {
      assert.deepEqual(sendMessage.response(answered(201, body)), { ...bare, upstreamId: '5' })
    }
    assert.deepEqual(sendMessage.response(answered(202)), { ...bare, upstreamId: null })
  })

  it('cannot use a success that names no message', () => {
    for (const answer of [notJson, answered(200), answered(200, {})]) {
      assert.equal(sendMessage.response(answer).kind, 'unreadable')
    }
  })

  const tooLarge = [
    answered(413),
    refused(400, 'The body.content exceeds 4096 bytes'),
    refused(400, 'Message is too large'),
    refused(400, 'no', 'request.entity.too.large'),
  ]
  for (const answer of tooLarge) {
    it(`hears "too large" in ${answer.status} ${JSON.stringify(answer.body) ?? ''}`, () => {
      const outcome = sendMessage.response(answer)
      assert.equal(outcome.kind === 'rejected' && outcome.code, 'message-too-large')
    })
  }

  it('hands on any other no, also of a conversation nobody knows', () => {
    for (const answer of [refused(400, 'contentType is unknown'), refused(404, 'not found')]) {
      const outcome = sendMessage.response(answer)
      assert.equal(outcome.kind === 'rejected' && outcome.code, 'upstream-rejected')
    }
  })
})
