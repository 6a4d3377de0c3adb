import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import { assertProblem } from '../support/problems.ts'
import {
  createSession,
  openSession,
  respondAsync,
  retry,
  send,
  transcript,
} from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const png = {
  contentType: 'image/png',
  url: 'https://files.example/a.png',
  fileName: 'a.png',
  sizeBytes: 1024,
}
const mebibyte = 1024 * 1024

describe('POST /v1/sessions/{sessionId}/messages', () => {
  const gateway = sharedGateway({
    environment: { GENESYS_ACTIVATION_TIMEOUT_MS: '500', GENESYS_TIMEOUT_MS: '100' },
  })
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)
  const inject = (session: { id: string }, body: object) =>
    api('POST', `/v1/sessions/${session.id}/messages`, body)

  it('answers 201 with Location and the message as it can be read there', async () => {
    const session = await openSession(api)
    const sent = await inject(session, { text: 'Hello', author: 'agent' })
    assert.equal(sent.status, 201)
    const { body } = await api('GET', sent.headers.get('location') ?? '')
    assert.deepEqual(body, sent.body)
  })

  const refusals: [string, ErrorCode, string, object][] = [
    ['M3', 'message-too-large', 'external-guests', { text: 'é'.repeat(2049) }],
    ['M3', 'content-blocked', 'external-guests', { text: 'click <SCRIPT>alert(1)</SCRIPT>' }],
    [
      'M3',
      'attachment-type-not-allowed',
      'conversations',
      { attachments: [png, { ...png, contentType: 'application/zip' }] },
    ],
    [
      'M3',
      'attachment-too-large',
      'conversations',
      { attachments: [{ ...png, sizeBytes: 25 * mebibyte + 1 }] },
    ],
    ['M1', 'author-not-supported', 'guest-sessions', { text: 'Hello', author: 'agent' }],
    ['M2', 'not-supported-by-dialect', 'external-guests', { attachments: [png] }],
    [
      'G3',
      'conversation-mismatch',
      'external-guests',
      { text: 'Hello', conversationId: 'another' },
    ],
    ['', 'invalid-request', 'external-guests', {}],
    [
      '',
      'invalid-request',
      'external-guests',
      { text: 'Hello', attachments: [{ ...png, url: 'file:///etc/passwd' }] },
    ],
    ['', 'invalid-request', 'external-guests', { text: 'Hello', contentType: 'text' }],
  ]
  for (const [row, code, dialect, body] of refusals) {
    it(`${row && `${row}: `}is ${code}, and nothing is kept: ${JSON.stringify(body).slice(0, 50)}`, async () => {
      const session = await createSession(api, { dialect, origin: 'https://shop.example' })
      assertProblem(await inject(session, body), code)
      assert.deepEqual(await transcript(api, session), [])
    })
  }

  it('M3: splits what is too large where it is asked to', async () => {
    const session = await openSession(api)
    const { status, body } = await inject(session, { text: 'é'.repeat(2049), oversize: 'split' })
    assert.equal(status, 201)
    assert.equal(body.parts.length, 2)
  })

  it('takes the conversation of the session for what it is', async () => {
    const session = await openSession(api)
    const { status } = await inject(session, {
      text: 'Hello',
      conversationId: session.conversationId,
    })
    assert.equal(status, 201)
  })

  it('is session-not-found for a session that is not there', async () => {
    assertProblem(await inject({ id: 'gs_unknown' }, { text: 'Hello' }), 'session-not-found')
  })

  it('is session-closed for a session that is over, also to those whose message waits', async () => {
    gateway().simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const waiting = inject(session, { text: 'waiting' })
    await api('DELETE', `/v1/sessions/${session.id}`)
    gateway().simulator.control.freezeRouting(false)
    assertProblem(await waiting, 'session-closed')
    assertProblem(await inject(session, { text: 'late' }), 'session-closed')
  })

  it('G2: is session-not-active, to be repeated, when the guest is not routed in time', async () => {
    gateway().simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const problem = assertProblem(await inject(session, { text: 'Hello' }), 'session-not-active')
    gateway().simulator.control.freezeRouting(false)
    assert.equal(problem.retryable, true)
    assert.ok(problem.retryAfterSeconds > 0)
    const [message] = await transcript(api, session)
    assert.equal(message.status, 'failed')
  })

  it('R2: is rate-limited when as many wait for one session as may', async () => {
    gateway().simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const line = `${JSON.stringify({ sessionId: session.id, text: 'Hello' })}\n`
    const headers = { 'content-type': 'application/x-ndjson', ...respondAsync }
    const { body } = await api('POST', '/v1/messages/batch', line.repeat(1000), headers)
    assert.equal(body.match(/"status":202/g).length, 1000)
    const problem = assertProblem(
      await send(api, session, 'one more', respondAsync),
      'rate-limited',
    )
    assert.equal(problem.retryable, true)
    await api('DELETE', `/v1/sessions/${session.id}`)
    gateway().simulator.control.freezeRouting(false)
  })
})

describe('One message', () => {
  const gateway = sharedGateway()
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)

  it('is message-not-found where the session has none of that id', async () => {
    const [one, other] = [await openSession(api), await openSession(api)]
    const { body: message } = await send(api, one, 'Hello')
    for (const id of ['msg_unknown', message.id, '%00']) {
      const path = `/v1/sessions/${other.id}/messages/${id}`
      assertProblem(await api('GET', path), 'message-not-found')
      assertProblem(await api('POST', `${path}/retry`), 'message-not-found')
    }
  })

  it('is session-not-found where the session is not there', async () => {
    const path = '/v1/sessions/gs_unknown/messages/msg_unknown'
    assertProblem(await api('GET', path), 'session-not-found')
    assertProblem(await api('POST', `${path}/retry`), 'session-not-found')
  })

  it('is message-not-retryable once it is sent', async () => {
    const session = await openSession(api)
    const { body: message } = await send(api, session, 'Hello')
    assertProblem(await retry(api, session, message.id), 'message-not-retryable')
  })

  it('can be retried when it failed', async () => {
    const session = await openSession(api)
    gateway().simulator.control.faults.add({
      kind: 'status',
      status: 400,
      count: 1,
      operation: 'external-guests.sendMessage',
    })
    assert.equal((await send(api, session, 'Hello')).status, 422)
    const [failed] = await transcript(api, session)
    const { status, body, headers } = await retry(api, session, failed.id)
    assert.deepEqual([status, body.id, body.status], [201, failed.id, 'sent'])
    assert.equal(headers.get('location'), `/v1/sessions/${session.id}/messages/${failed.id}`)
  })
})
