import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readFrame } from '../../../../src/genesys/dialects/web-messaging/read-frame.ts'
import type { Json, JsonObject } from '../../../../src/json.ts'
import { guest } from './samples.ts'

const key = 'gateway:message:msg_1:1772616600000'
const read = (frame: Json) => readFrame(frame, guest)
const plain = (code: Json, body: Json, more: JsonObject = { tracingId: key }) => ({
  type: 'response',
  class: 'string',
  code,
  body,
  ...more,
})
const nack = (code: string, detail: string, more: object = {}) => ({
  kind: 'nack',
  key,
  code,
  detail,
  retryAfterMs: null,
  ...more,
})

describe('web-messaging: refusals of a message', () => {
  const codes: [number, string][] = [
    [400, 'upstream-rejected'],
    [404, 'upstream-rejected'],
    [408, 'upstream-timeout'],
    [413, 'message-too-large'],
    [418, 'upstream-rejected'],
    [500, 'upstream-error'],
    [502, 'upstream-error'],
    [503, 'upstream-unavailable'],
    [504, 'upstream-timeout'],
    [4000, 'upstream-rejected'],
    [4001, 'attachment-type-not-allowed'],
    [4002, 'attachment-too-large'],
    [4010, 'upstream-rejected'],
    [4011, 'message-too-large'],
    [4012, 'upstream-rejected'],
    [4013, 'metadata-too-large'],
    [4020, 'upstream-rejected'],
    [4029, 'rate-limited'],
    [4102, 'upstream-rejected'],
    [5000, 'upstream-error'],
    [5001, 'upstream-error'],
  ]
  for (const [number, code] of codes) {
    it(`calls ${number} ${code}`, () => {
      assert.deepEqual(read(plain(number, 'Said so')), [
        nack(code, `The platform answered ${number}: Said so`),
      ])
    })
  }

  const ends: [number, string, string, string, string][] = [
    [401, 'User is unauthorized', 'upstream-unauthorized', 'failed', 'authentication failed'],
    [403, 'Session authentication failed', 'upstream-forbidden', 'failed', 'authentication failed'],
    [403, 'HTTP authorization error', 'upstream-forbidden', 'failed', 'authentication failed'],
    [409, 'Session is read-only', 'session-closed', 'closed', 'read-only'],
    [4006, 'Session has expired', 'session-closed', 'expired', 'session expired'],
    [4007, 'Session not found', 'session-closed', 'expired', 'session not found'],
    [
      4017,
      'Cannot downgrade',
      'session-closed',
      'failed',
      'the token belongs to an authenticated guest',
    ],
  ]
  for (const [number, said, code, state, reason] of ends) {
    it(`refuses the message and ends the session after ${number} "${said}"`, () => {
      assert.deepEqual(read(plain(number, said)), [
        nack(code, `The platform answered ${number}: ${said}`),
        { kind: 'over', state, reason },
      ])
    })
  }

  it('says how long to wait (R1)', () => {
    const body = { retryAfter: 3, errorCode: 4029, errorMessage: 'Message rate too high' }
    const frame = { type: 'response', class: 'TooManyRequestsErrorMessage', code: 429, body }
    const refusal = nack('rate-limited', 'The platform answered 4029: Message rate too high', {
      retryAfterMs: 3000,
    })
    assert.deepEqual(read({ ...frame, tracingId: key }), [refusal])
    assert.deepEqual(read(frame), [{ ...refusal, key: null }])
    const endless = { ...frame, tracingId: key, body: { ...body, retryAfter: 1e300 } }
    assert.deepEqual(read(endless), [{ ...refusal, retryAfterMs: 24 * 3_600_000 }])
    const bare = { ...frame, tracingId: key, body: {} }
    assert.deepEqual(read(bare), [nack('rate-limited', 'The platform answered 429')])
  })

  it('reads errors that are objects, by their own code', () => {
    for (const name of ['Error', 'ErrorMessage']) {
      const body = { name, message: 'Too long', errorCode: 4011 }
      assert.deepEqual(read({ type: 'message', class: name, code: 200, body, tracingId: key }), [
        nack('message-too-large', 'The platform answered 4011: Too long'),
      ])
    }
  })

  it('takes the oldest message for the refused one where nothing tells', () => {
    assert.deepEqual(read(plain('4011', 'Too long', {})), [
      nack('message-too-large', 'The platform answered 4011: Too long', { key: null }),
    ])
  })
})

describe('web-messaging: refusals of something else', () => {
  it('names what was asked, so that no message is taken for it', () => {
    const said = 'Turn on the Feature Toggle or fix the configuration.'
    assert.deepEqual(read(plain(403, said, { tracingId: 'gateway:typing' })), [
      nack('upstream-rejected', `The platform answered 403: ${said}`, { key: 'gateway:typing' }),
    ])
  })

  it('is no refusal of a message when only a feature is missing', () => {
    const said = 'Presence events Conversation Clear are not supported'
    const frame = plain(403, said, {})
    assert.deepEqual(read(frame), [{ kind: 'unknown', raw: frame }])
  })

  it('is about the file when it names one', () => {
    const body = { attachmentId: 'a', errorCode: 4001, errorMessage: 'no' }
    for (const name of ['GenerateUrlError', 'UploadFailureEvent']) {
      for (const code of [200, 400]) {
        const frame = { type: 'response', class: name, code, body }
        assert.deepEqual(read(frame), [
          {
            kind: 'upload-refused',
            id: 'a',
            code: 'attachment-type-not-allowed',
            detail: 'The platform refused the file with 4001: no',
          },
        ])
      }
    }
  })

  it('ends a session that cannot be configured', () => {
    const configure = { tracingId: 'gateway:configure' }
    assert.deepEqual(read(plain(400, 'No such deployment', configure)), [
      {
        kind: 'over',
        state: 'failed',
        reason: 'The platform answered 400: No such deployment',
      },
    ])
    assert.deepEqual(read(plain(4006, 'Session has expired', configure)), [
      { kind: 'over', state: 'expired', reason: 'session expired' },
    ])
  })

  it('keeps a session that could not be configured just now', () => {
    for (const code of [429, 500, 503, 5000]) {
      const [news, ...more] = read(plain(code, 'later', { tracingId: 'gateway:configure' }))
      assert.equal(news?.kind === 'nack' && news.key, 'gateway:configure')
      assert.deepEqual(more, [])
    }
  })
})
