import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readPlainFrame } from '../../../src/genesys/dialects/plain-frames.ts'
import type { Json } from '../../../src/json.ts'
import { at, atIso } from './samples.ts'

const read = (frame: Json, conversationId: string | null = 'c-1') =>
  readPlainFrame(frame, { conversationId }, ['guest-1'])
const message = {
  kind: 'message',
  upstreamId: 'm-1',
  author: 'agent',
  text: 'Hello, I am Sam',
  attachments: [],
  content: null,
  sentAt: at,
}

describe('readPlainFrame (G7, G10)', () => {
  it('reads a message with its id and time', () => {
    const frame = {
      type: 'message',
      senderId: 'agent-7',
      text: 'Hello, I am Sam',
      messageId: 'm-1',
    }
    assert.deepEqual(read({ ...frame, timestamp: atIso }), [message])
    assert.deepEqual(read(frame), [{ ...message, sentAt: null }])
  })

  it('takes any object with a text for a message', () => {
    const [news] = read({ kind: 'novel', id: 12, text: 'Hello, I am Sam', timestamp: at / 1000 })
    assert.deepEqual(news, { ...message, upstreamId: '12' })
  })

  it('keeps what is more than text, whole', () => {
    const frame = {
      type: 'message',
      text: 'A file',
      attachments: [{ url: 'https://files.test/a' }],
    }
    const [news] = read(frame)
    assert.deepEqual(news?.kind === 'message' && news.content, frame)
  })

  it('reads an ack, which names nothing of ours', () => {
    assert.deepEqual(read({ type: 'ack', messageId: 'm-2' }), [
      { kind: 'ack', key: null, upstreamId: 'm-2' },
    ])
    assert.deepEqual(read({ type: 'ack' }), [{ kind: 'ack', key: null, upstreamId: null }])
  })

  it('reads typing', () => {
    assert.deepEqual(read({ type: 'typing', senderId: 'agent-7' }), [{ kind: 'typing' }])
  })

  it('ends with the conversation', () => {
    assert.deepEqual(read({ type: 'conversationMetadata', event: 'closed' }), [
      { kind: 'over', state: 'closed', reason: 'conversation closed' },
    ])
  })

  it('learns the id of the conversation from metadata where none is known, and replaces none', () => {
    const joined = { type: 'conversationMetadata', event: 'agentJoined', conversationId: 'c-2' }
    const unknown = { kind: 'unknown', raw: joined }
    assert.deepEqual(read(joined, null), [
      { kind: 'learned', patch: { conversationId: 'c-2' } },
      unknown,
    ])
    assert.deepEqual(read(joined, 'c-1'), [unknown])
  })

  it('says nothing of what the guest itself sent or types', () => {
    assert.deepEqual(read({ type: 'message', senderId: 'guest-1', text: 'Mine' }), [])
    assert.deepEqual(read({ type: 'typing', senderId: 'guest-1' }), [])
  })

  const strange: Json[] = [
    { type: 'conversationMetadata', event: 'agentJoined', text: 'Sam joined' },
    { type: 'conversationMetadata', event: 'closing' },
    { type: 'conversationMetadata', event: 7, conversationId: {} },
    { type: 'conversationMetadata' },
    { type: 'somethingNew', data: { a: 1 } },
    { text: 5 },
    {},
    [],
    ['message'],
    'pong',
    7,
    null,
  ]
  for (const frame of strange) {
    it(`passes on ${JSON.stringify(frame)} as it came`, () => {
      assert.deepEqual(read(frame), [{ kind: 'unknown', raw: frame }])
    })
  }
})
