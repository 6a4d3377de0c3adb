import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { textsAt } from '../support/far-end.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { messageOf, type OpenedSession, openSession, retry } from '../support/sessions.ts'

const operation = 'external-guests.sendMessage'
const small = {
  MAX_MESSAGE_BYTES: '40',
  GENESYS_TIMEOUT_MS: '300',
  GENESYS_ACTIVATION_TIMEOUT_MS: '900',
}

function sendSplit({ api }: TestGateway, session: OpenedSession, text: string) {
  return api('POST', `/v1/sessions/${session.id}/messages`, { text, oversize: 'split' })
}

const statusesOf = (message: { parts: { status: string }[] }) =>
  message.parts.map(({ status }) => status)

describe('M3: a text over the limit', { concurrency: 4 }, () => {
  it('is refused unless it may be split', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment: small })
    const session = await openSession(api)
    const answer = await api('POST', `/v1/sessions/${session.id}/messages`, {
      text: 'x'.repeat(41),
    })
    assert.deepEqual([answer.status, answer.body.code], [413, 'message-too-large'])
    assert.deepEqual(textsAt(simulator), [])
  })

  it('leaves in parts, in order, none of them cut inside a character', async (t) => {
    const gateway = await startTestGateway(t, { environment: small })
    const { api, simulator } = gateway
    const session = await openSession(api)
    const family = '👨‍👩‍👧‍👦'
    const text = `${family.repeat(3)}e\u0301\u0301 🇩🇪🇫🇷 a longer run of words, to be cut at spaces ${family}`

    const { status, body: message } = await sendSplit(gateway, session, text)

    assert.equal(status, 201)
    assert.equal(message.status, 'sent')
    const sent = textsAt(simulator)
    assert.ok(sent.length > 3)
    assert.equal(sent.join(''), text)
    assert.deepEqual(
      message.parts.map((part: { text: string }) => part.text),
      sent,
    )
    const graphemes = (of: string) => [...new Intl.Segmenter().segment(of)].length
    assert.equal(
      sent.reduce((sum, part) => sum + graphemes(part), 0),
      graphemes(text),
    )
    assert.ok(sent.every((part) => Buffer.byteLength(part) <= 40))
    assert.equal(message.attempts, sent.length)
    assert.equal(message.upstreamId, message.parts[0].upstreamId)
    assert.deepEqual(
      new Set(message.parts.map(({ upstreamId }: { upstreamId: string }) => upstreamId)).size,
      sent.length,
    )
    assert.deepEqual((await api('GET', `/v1/sessions/${session.id}`)).body.messages.outbound, 1)
  })

  it('fails at the part that is refused, and a retry goes on there', async (t) => {
    const gateway = await startTestGateway(t, { environment: small })
    const { api, simulator } = gateway
    const session = await openSession(api)
    const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(40))
    simulator.control.faults.add({ kind: 'status', status: 400, skip: 1, count: 1, operation })

    const answer = await sendSplit(gateway, session, parts.join(''))

    assert.deepEqual([answer.status, answer.body.code], [422, 'upstream-rejected'])
    const message = await messageOf(api, session, parts.join(''))
    assert.equal(message.status, 'failed')
    assert.deepEqual(statusesOf(message), ['sent', 'failed', 'failed'])
    assert.deepEqual(textsAt(simulator), parts.slice(0, 1))

    const again = await retry(api, session, message.id)
    assert.equal(again.body.status, 'sent')
    assert.deepEqual(statusesOf(again.body), ['sent', 'sent', 'sent'])
    assert.equal(again.body.attempts, 4)
    assert.deepEqual(textsAt(simulator), parts)
  })

  it('is unconfirmed at the part whose answer is lost, and a retry goes on there', async (t) => {
    const gateway = await startTestGateway(t, { environment: small })
    const { api, simulator } = gateway
    const session = await openSession(api)
    const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(40))
    const { faults } = simulator.control
    faults.add({ kind: 'reset', when: 'after', skip: 1, count: 1, operation })

    const { status, body: message } = await sendSplit(gateway, session, parts.join(''))

    assert.deepEqual([status, message.status], [201, 'unconfirmed'])
    assert.deepEqual(statusesOf(message), ['sent', 'unconfirmed', 'failed'])
    const again = await retry(api, session, message.id)
    assert.equal(again.body.status, 'sent')
    const [first, second, third] = parts
    assert.deepEqual(textsAt(simulator), [first, second, second, third])
  })

  it('is not repeated from the start by a fault that passes', async (t) => {
    const gateway = await startTestGateway(t, { environment: small })
    const { simulator } = gateway
    const session = await openSession(gateway.api)
    const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(40))
    const { faults } = simulator.control
    faults.add({ kind: 'status', status: 503, skip: 1, count: 1, operation })
    faults.add({ kind: 'status', status: 409, skip: 3, count: 1, operation })

    const { body: message } = await sendSplit(gateway, session, parts.join(''))

    assert.equal(message.status, 'sent')
    assert.deepEqual(textsAt(simulator), parts)
  })
})
