import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'

describe('a session from creation to its first message', () => {
  it('G1, M1, M2: creates a guest, injects as bot and reads both back', async (t) => {
    const { api, simulator } = await startTestGateway(t)

    const created = await api('POST', '/v1/sessions', {
      guest: { name: 'Ada', email: 'ada@example.com', locale: 'en-US' },
      routing: { queueId: 'queue-1', priority: 3, skills: ['billing'] },
      metadata: { botScore: 0.5, externalSessionId: 'ext-1', shoe: { size: 43 } },
    })
    assert.equal(created.status, 201)
    assert.match(created.body.id, /^gs_[0-9a-f-]{36}$/)
    assert.equal(created.headers.get('location'), `/v1/sessions/${created.body.id}`)
    assert.equal(created.body.state, 'pending')

    const [guest] = simulator.control.received.list('external-guests.createGuest')
    assert.deepEqual(guest?.body, {
      name: 'Ada',
      email: 'ada@example.com',
      languageCode: 'en-US',
      routingData: { queueId: 'queue-1', priority: 3, skillRequirements: ['billing'] },
    })

    const message = await api('POST', `/v1/sessions/${created.body.id}/messages`, { text: 'Hello' })
    assert.equal(message.status, 201)
    assert.equal(message.body.status, 'sent')
    assert.equal(message.body.author, 'bot')
    assert.ok(message.body.upstreamId)

    const session = await api('GET', `/v1/sessions/${created.body.id}`)
    assert.equal(session.body.state, 'active')
    assert.deepEqual(session.body.messages, { outbound: 1, inbound: 0, failed: 0 })

    const transcript = await api('GET', `/v1/sessions/${created.body.id}/messages`)
    assert.deepEqual(transcript.body, { items: [message.body], nextCursor: null })
  })

  it('G2: holds messages until the guest is active and sends them in order', async (t) => {
    const { api, simulator } = await startTestGateway(t, { simulator: { activationMs: 300 } })
    const { body: session } = await api('POST', '/v1/sessions', { guest: { name: 'Ada' } })

    const answers = await Promise.all(
      ['one', 'two', 'three'].map((text) =>
        api('POST', `/v1/sessions/${session.id}/messages`, { text }),
      ),
    )

    assert.deepEqual(
      answers.map((answer) => answer.body.status),
      ['sent', 'sent', 'sent'],
    )
    const sent = simulator.control.received
      .list('external-guests.sendMessage')
      .filter((request) => request.acted)
      .map((request) => (request.body as { text: string }).text)
    const transcript = await api('GET', `/v1/sessions/${session.id}/messages`)
    assert.deepEqual(
      sent,
      transcript.body.items.map((message: { text: string }) => message.text),
    )
  })
})
