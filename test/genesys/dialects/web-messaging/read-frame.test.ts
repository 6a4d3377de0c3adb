import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readFrame } from '../../../../src/genesys/dialects/web-messaging/read-frame.ts'
import type { Json, JsonObject } from '../../../../src/json.ts'
import { agentBody, echoBody, eventBody, guest, pushed, sessionBody } from './samples.ts'

const read = (frame: Json) => readFrame(frame, guest)
const unknown = (raw: Json) => [{ kind: 'unknown', raw }]
const session = (body: JsonObject) => ({
  type: 'response',
  class: 'SessionResponse',
  code: 200,
  tracingId: 'gateway:configure',
  body,
})

describe('web-messaging: the session', () => {
  it('is ready once it is connected, with its end', () => {
    assert.deepEqual(read(session(sessionBody)), [
      { kind: 'ready', patch: {}, expiresAt: 1772875800_000, isNew: true },
    ])
  })

  it('is ready with no more said than older platforms say', () => {
    const ready = [{ kind: 'ready', patch: {}, expiresAt: null, isNew: false }]
    assert.deepEqual(read(session({ connected: true, newSession: false })), ready)
    assert.deepEqual(read(session({})), ready)
  })

  it('remembers how much custom data it takes, where that is not the usual', () => {
    const [news] = read(session({ connected: true, maxCustomDataBytes: 512 }))
    assert.deepEqual(news?.kind === 'ready' && news.patch, {
      upstream: { ...guest.upstream, maxCustomDataBytes: 512 },
    })
  })

  it('is over when it can only be read', () => {
    const over = [{ kind: 'over', state: 'closed', reason: 'read-only' }]
    assert.deepEqual(read(session({ ...sessionBody, readOnly: true })), over)
    assert.deepEqual(read(session({ connected: false, readOnly: true })), over)
  })

  it('is not ready while it is not connected', () => {
    const frame = session({ connected: false })
    assert.deepEqual(read(frame), unknown(frame))
  })

  const ends: [string, JsonObject, object][] = [
    ['SessionExpiredEvent', {}, { kind: 'over', state: 'expired', reason: 'session expired' }],
    ['SessionClearedEvent', {}, { kind: 'over', state: 'closed', reason: 'cleared' }],
    ['LogoutEvent', {}, { kind: 'over', state: 'closed', reason: 'logged out' }],
    [
      'ConnectionClosedEvent',
      {},
      { kind: 'over', state: 'closed', reason: 'displaced: another connection' },
    ],
    [
      'ConnectionClosedEvent',
      { reason: 'signedIn' },
      { kind: 'over', state: 'closed', reason: 'displaced: signedIn' },
    ],
    [
      'ConnectionClosedEvent',
      { reasonCode: 'sIn' },
      { kind: 'over', state: 'closed', reason: 'displaced: sIn' },
    ],
  ]
  for (const [name, body, news] of ends) {
    for (const type of ['message', 'response']) {
      it(`ends with ${name} ${JSON.stringify(body)} as a ${type}`, () => {
        assert.deepEqual(read({ type, class: name, code: 200, body }), [news])
      })
    }
  }

  it('gets the token for its history', () => {
    const frame = { type: 'response', class: 'JwtResponse', code: 200 }
    assert.deepEqual(read({ ...frame, body: { jwt: 'fake-jwt', exp: 1772617800 } }), [
      { kind: 'jwt', jwt: 'fake-jwt', expiresAt: 1772617800_000 },
    ])
    const empty = { ...frame, body: {} }
    assert.deepEqual(read(empty), unknown(empty))
  })
})

describe('web-messaging: messages', () => {
  const key = 'gateway:message:msg_1:1772616600000'
  const ack = [{ kind: 'ack', key, upstreamId: echoBody.id }]
  const ofGuest = {
    kind: 'message',
    upstreamId: echoBody.id,
    author: 'user',
    text: 'Where is my order?',
    attachments: [],
    content: null,
    sentAt: Date.parse('2026-03-04T09:30:01.204Z'),
  }
  const ofAgent = {
    ...ofGuest,
    upstreamId: agentBody.id,
    author: 'agent',
    text: 'Hello, I am Ana.',
    sentAt: Date.parse('2026-03-04T09:30:09.880Z'),
  }

  it('takes the echo with a tracing id of ours for the ack', () => {
    assert.deepEqual(read(pushed(echoBody, { tracingId: key })), ack)
    assert.deepEqual(read(pushed(echoBody, { tracingId: key, type: 'response' })), ack)
  })

  it('takes the echo of our metadata for the ack where no tracing id is shown', () => {
    assert.deepEqual(read(pushed({ ...echoBody, metadata: { id: key } })), ack)
  })

  it('takes an echo of somebody else for a message of the guest', () => {
    assert.deepEqual(read(pushed(echoBody, { tracingId: 'c1a2b3c4' })), [ofGuest])
  })

  it('leaves open whose echo it is that names nothing', () => {
    assert.deepEqual(read(pushed(echoBody)), [{ ...ofGuest, mayBeOurs: true }])
  })

  it('tells agent and bot apart', () => {
    assert.deepEqual(read(pushed(agentBody)), [ofAgent])
    const ofBot = [{ ...ofAgent, author: 'bot' }]
    assert.deepEqual(read(pushed({ ...agentBody, originatingEntity: 'Bot' })), ofBot)
    assert.deepEqual(read(pushed({ ...agentBody, originatingEntity: '' })), [ofAgent])
  })

  it('reads a message that came as a response, too', () => {
    assert.deepEqual(read(pushed(agentBody, { type: 'response' })), [ofAgent])
  })

  it('does without a time and an id', () => {
    const bare = { direction: 'Outbound', text: 'Hello, I am Ana.', channel: { time: null } }
    assert.deepEqual(read(pushed(bare)), [{ ...ofAgent, upstreamId: null, sentAt: null }])
  })

  it('passes structured content on as it came', () => {
    const content = [
      { contentType: 'QuickReply', quickReply: { text: 'Yes', payload: 'yes', image: null } },
      {
        contentType: 'Card',
        card: { title: 'A', actions: [{ type: 'Link', url: 'https://a.test' }] },
      },
      { contentType: 'FromTheFuture', fromTheFuture: { deep: [1, { er: true }] } },
    ]
    const body = { ...agentBody, type: 'Structured', text: 'Sure?', content }
    assert.deepEqual(read(pushed(body)), [{ ...ofAgent, text: 'Sure?', content }])
  })

  it('finds a text that is content', () => {
    const content = [{ contentType: 'Text', text: { body: 'Hello, I am Ana.' } }]
    const { text: _, ...textless } = agentBody
    assert.deepEqual(read(pushed({ ...textless, content })), [{ ...ofAgent, content }])
  })

  it('finds attachments, however little is said of them', () => {
    const url = 'https://downloads.example.test/bill.pdf'
    const file = {
      mime: 'application/pdf',
      filename: 'bill.pdf',
      fileSize: 48213,
      mediaType: 'File',
    }
    const content = [
      { contentType: 'Attachment', attachment: { id: '88b1', url, ...file } },
      { contentType: 'Attachment', attachment: { id: '88b2', url } },
      { contentType: 'Attachment', attachment: { id: '88b3' } },
    ]
    const [news] = read(pushed({ ...agentBody, text: '', content }))
    assert.deepEqual(news?.kind === 'message' && news.attachments, [
      { url, contentType: 'application/pdf', fileName: 'bill.pdf', sizeBytes: 48213 },
      { url, contentType: 'application/octet-stream', fileName: 'attachment', sizeBytes: 0 },
    ])
  })

  it('does not take the answer to a health check for a message', () => {
    const body = { id: 'e0e1', type: 'Text', direction: 'Inbound', text: 'ping', metadata: {} }
    const frame = pushed(body, { type: 'response', tracingId: 'SGVhbHRo' })
    assert.deepEqual(read(frame), unknown(frame))
  })
})

describe('web-messaging: events', () => {
  const presence = (type: string) => ({ eventType: 'Presence', presence: { type } })
  const typing = (type: string) => ({ eventType: 'Typing', typing: { type, duration: 5000 } })

  it('shows typing of the other side only', () => {
    assert.deepEqual(read(pushed(eventBody(typing('On')))), [{ kind: 'typing' }])
    const own = pushed(eventBody(typing('On'), { direction: 'Inbound' }))
    assert.deepEqual(read(own), unknown(own))
  })

  for (const readOnly of ['true', true]) {
    it(`is over after a disconnect with readOnly ${JSON.stringify(readOnly)}`, () => {
      const body = eventBody(presence('Disconnect'), { metadata: { readOnly } })
      assert.deepEqual(read(pushed(body)), [
        { kind: 'over', state: 'closed', reason: 'disconnected' },
      ])
    })
  }

  it('is over when it is cleared or expired', () => {
    const clear = pushed(eventBody(presence('Clear'), { direction: 'Inbound' }))
    assert.deepEqual(read(clear), [{ kind: 'over', state: 'closed', reason: 'cleared' }])
    assert.deepEqual(read(pushed(eventBody(presence('SessionExpired')))), [
      { kind: 'over', state: 'expired', reason: 'session expired' },
    ])
  })

  const passedOn: [string, JsonObject][] = [
    ['a disconnect after which the guest may write again', eventBody(presence('Disconnect'))],
    ['an autostart', eventBody(presence('Join'), { direction: 'Inbound' })],
    ['a sign-in', eventBody(presence('SignIn'))],
    ['the end of typing', eventBody(typing('Off'))],
    ['an event nobody knows', eventBody({ eventType: 'Reactions', reactions: [] })],
    ['an event with nothing in it', eventBody({})],
  ]
  for (const [name, body] of passedOn) {
    it(`passes on ${name}`, () => {
      const frame = pushed(body)
      assert.deepEqual(read(frame), unknown(frame))
    })
  }

  it('reads several events of one frame', () => {
    const body = { ...eventBody({}), events: [typing('On'), presence('Join'), typing('On')] }
    assert.deepEqual(read(pushed(body)), [{ kind: 'typing' }, { kind: 'typing' }])
  })
})

describe('web-messaging: frames nobody knows', () => {
  const strange: Json[] = [
    { type: 'message', class: 'Tomorrow', code: 200, body: { text: 'hm' } },
    { type: 'response', class: 'string', code: 200, body: 'fine' },
    { type: 'response', class: 'PresignedUrlResponse', code: 200, body: { attachmentId: 'a' } },
    { class: 'StructuredMessage' },
    { class: 'SessionExpired', code: 'x' },
    {},
    [],
    'pong',
    null,
    0,
  ]
  for (const frame of strange) {
    it(`passes on ${JSON.stringify(frame)}`, () => {
      assert.deepEqual(read(frame), unknown(frame))
    })
  }
})
