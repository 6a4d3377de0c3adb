import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fieldsOf } from '../../../../src/genesys/dialects/fields.ts'
import { webMessaging } from '../../../../src/genesys/dialects/web-messaging.ts'
import { at, hosts, newGuest, outbound, uuid } from '../samples.ts'
import { guest } from './samples.ts'

const { createGuest, stream } = webMessaging
assert.ok('local' in createGuest && stream?.typing && stream.goodbye)

describe('web-messaging: the guest', () => {
  it('is made here, with a token nobody can read off its id', () => {
    const input = newGuest({ origin: 'https://shop.example' })
    const made = createGuest.local(input)
    assert.deepEqual(
      { ...made, secrets: null },
      {
        guestId: uuid,
        conversationId: null,
        upstream: { deploymentId: 'deployment-1', origin: 'https://shop.example', attributes: {} },
        secrets: null,
      },
    )
    const token = String(made.secrets?.token)
    assert.match(token, /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/)
    assert.notEqual(token, uuid)
    assert.notEqual(createGuest.local(input).secrets?.token, token)
  })

  it("has the caller's own id where there is one", () => {
    const named = { id: 'visitor-9', name: 'Ada', email: null, locale: null, attributes: {} }
    assert.equal(createGuest.local(newGuest({ guest: named })).guestId, 'visitor-9')
  })
})

describe('web-messaging: frames sent', () => {
  it('configures the session first', () => {
    assert.deepEqual(stream.open(guest, hosts, at), {
      url: 'wss://webmessaging.example.test/v1?deploymentId=deployment-1&application=genesys-guest-gateway',
      origin: 'https://shop.example',
      frames: [
        {
          action: 'configureSession',
          token: 'fake-guest-token',
          tracingId: 'gateway:configure',
          deploymentId: 'deployment-1',
          startNew: false,
        },
      ],
      readyWhen: 'frame',
    })
  })

  it('names each attempt of a message, so that its echo can be told', () => {
    const { frame, ackKey } = stream.message(guest, outbound())
    assert.equal(ackKey, `gateway:message:msg_1:${at}`)
    assert.deepEqual(frame, {
      action: 'onMessage',
      token: 'fake-guest-token',
      tracingId: ackKey,
      message: { type: 'Text', text: 'Where is my order?', metadata: { id: ackKey } },
    })
    assert.notEqual(stream.message(guest, outbound({ at: at + 1 })).ackKey, ackKey)
  })

  const sentAttributes = (upstream: object) => {
    const told = { ...guest, upstream: { ...guest.upstream, ...upstream } }
    const message = fieldsOf(stream.message(told, outbound()).frame.message)
    return fieldsOf(fieldsOf(message.channel).metadata).customAttributes
  }

  it('tells the attributes of the guest with every message', () => {
    const attributes = { plan: 'gold', city: 'Zürich' }
    assert.deepEqual(sentAttributes({ attributes }), attributes)
  })

  it('leaves attributes out that would cost the message', () => {
    const attributes = { note: 'é'.repeat(1022) }
    assert.deepEqual(sentAttributes({ attributes }), attributes)
    assert.equal(sentAttributes({ attributes: { note: 'é'.repeat(1023) } }), undefined)
    assert.equal(sentAttributes({ attributes, maxCustomDataBytes: 2047 }), undefined)
  })

  it('types, and clears the conversation when it is over', () => {
    const event = (tracingId: string, happened: object) => ({
      action: 'onMessage',
      token: 'fake-guest-token',
      tracingId,
      message: { type: 'Event', events: [happened] },
    })
    assert.deepEqual(
      stream.typing?.(guest),
      event('gateway:typing', { eventType: 'Typing', typing: { type: 'On' } }),
    )
    assert.deepEqual(stream.goodbye?.(guest), [
      event('gateway:clear', { eventType: 'Presence', presence: { type: 'Clear' } }),
    ])
  })

  it('keeps to each published limit (R1)', () => {
    assert.deepEqual(stream.limits, {
      messages: { frames: 5, windowMs: 1_000 },
      requests: { frames: 60, windowMs: 60_000 },
      openings: { frames: 60, windowMs: 60_000 },
    })
    assert.ok((stream.dialLimit?.dials ?? Number.POSITIVE_INFINITY) <= 1_000)
    assert.equal(stream.dialLimit?.windowMs, 60_000)
    assert.deepEqual(stream.history?.limit, { requests: 10, windowMs: 60_000 })
    assert.ok((stream.typingEveryMs ?? 0) >= 5_000)
  })

  it('can come back for as long as the platform says that sessions last', () => {
    assert.equal(stream.keptForMs?.(guest), 72 * 3_600_000)
    const told = { ...guest, upstream: { ...guest.upstream, durationSeconds: 900 } }
    assert.equal(stream.keptForMs?.(told), 900_000)
  })
})
