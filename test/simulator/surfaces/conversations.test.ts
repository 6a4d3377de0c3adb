import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { SimulatorOptions } from '../../../src/simulator/options.ts'
import { type Body, signIn, startTestSimulator } from '../support.ts'

const path = '/api/v2/conversations/messaging'
const wanted = {
  type: 'messaging',
  initiator: { type: 'external', id: 'guest-88421', name: 'Anonymous Visitor' },
  to: { id: 'queue-1', type: 'routingQueue' },
  metadata: { bot_score: 0.12, source_channel: 'web_portal', external_session_id: 'ext-9921' },
}

async function scene(t: TestContext, options: Partial<SimulatorOptions> = {}) {
  const simulator = await startTestSimulator(t, options)
  const api = await signIn(simulator)
  return {
    simulator,
    create: (change: Body = {}) => api.call('POST', path, { ...wanted, ...change }),
    send: (to: string, change: Body = {}) =>
      api.call('POST', `${path}/messages`, {
        from: { id: 'guest-88421', type: 'user' },
        to: { id: to, type: 'conversation' },
        body: { contentType: 'text/plain', content: 'Validated transmission payload' },
        metadata: { readReceipt: true, transmissionTimestamp: '2024-01-15T10:30:00Z' },
        ...change,
      }),
  }
}

describe('the conversations surface', () => {
  it('G8 opens a conversation and tells its id and who is in it', async (t) => {
    const { create } = await scene(t)

    const { status, body } = await create({ metadata: { ...wanted.metadata, plan: 'pro' } })

    assert.equal(status, 201)
    assert.equal(body.id, body.conversationId)
    assert.deepEqual(body.initiator, wanted.initiator)
    assert.deepEqual(body.metadata, { ...wanted.metadata, plan: 'pro' })
    const [customer] = body.participants as Body[]
    assert.equal(customer?.externalId, 'guest-88421')
  })

  it('G8 names the conversation id as switched', async (t) => {
    const { simulator, create } = await scene(t)

    for (const field of ['id', 'conversationId', 'conversation_id'] as const) {
      simulator.control.configure({ conversations: { conversationIdField: field } })
      const { body } = await create()
      const named = ['id', 'conversationId', 'conversation_id'].filter((name) => name in body)
      assert.deepEqual(named, [field])
    }
  })

  it('G8 refuses another type, a missing initiator or queue, and metadata over 64 KiB', async (t) => {
    const { simulator, create } = await scene(t)
    const wrong: Body[] = [
      { type: 'chat' },
      { initiator: {} },
      { to: { id: '' } },
      { to: undefined },
      { metadata: { note: 'é'.repeat(32_768) } },
    ]

    for (const change of wrong) assert.equal((await create(change)).status, 400)
    assert.equal((await create({ metadata: { n: 'a'.repeat(65_536 - 8) } })).status, 201)
    simulator.control.configure({ conversations: { queueIdFormat: 'uuid' } })
    assert.equal((await create()).status, 400)
  })

  it('M2 transmits a message with its attachments and answers as the document shows', async (t) => {
    const { simulator, create, send } = await scene(t)
    const { id } = (await create()).body
    const attachment = {
      contentType: 'image/png',
      url: 'https://files.example/a.png',
      fileName: 'a.png',
      size: 1024,
    }

    const { status, body, headers } = await send(String(id), { attachments: [attachment] })

    assert.equal(status, 200)
    assert.match(String(body.id), /^msg-/)
    assert.equal(body.deliveryStatus, 'delivered')
    assert.equal(new Date(String(body.sentTime)).toISOString(), body.sentTime)
    assert.match(headers.get('x-request-id') ?? '', /^req-/)
    const [message] = simulator.control.conversation(String(id))?.messages ?? []
    assert.equal(message?.text, 'Validated transmission payload')
    assert.deepEqual(message?.content, [attachment])
  })

  it('M1 takes every author and nobody else', async (t) => {
    const { simulator, create, send } = await scene(t)
    const { id } = (await create()).body

    for (const type of ['user', 'bot', 'agent', 'system']) {
      assert.equal((await send(String(id), { from: { id: 'x', type } })).status, 200)
    }
    assert.equal((await send(String(id), { from: { id: 'x', type: 'robot' } })).status, 400)
    assert.equal(simulator.control.conversation(String(id))?.messages.length, 4)
  })

  it('M3 refuses what is malformed, too long or of the wrong kind', async (t) => {
    const { simulator, create, send } = await scene(t)
    const id = String((await create()).body.id)
    const text = (content: string) => ({ body: { contentType: 'text/plain', content } })
    const file = (change: Body) => ({
      attachments: [
        { contentType: 'image/png', url: 'https://f.example/a', fileName: 'a', size: 1, ...change },
      ],
    })

    for (const change of [
      { from: undefined },
      { to: { id } },
      { body: { contentType: 'image/png', content: 'x' } },
      file({ contentType: 'application/zip' }),
      file({ url: 'file:///etc/hostname' }),
      file({ fileName: undefined }),
    ]) {
      assert.equal((await send(id, change)).status, 400, JSON.stringify(change))
    }
    assert.equal((await send(id, text('é'.repeat(2048)))).status, 200)
    assert.equal((await send(id, text('é'.repeat(2049)))).status, 413)
    assert.equal((await send(id, file({ size: 26_214_401 }))).status, 413)
    simulator.control.configure({ conversations: { oversizeStatus: 400 } })
    assert.equal((await send(id, text('é'.repeat(2049)))).status, 400)
  })

  it('takes a message to a conversation nobody created, or not, as switched', async (t) => {
    const { simulator, send } = await scene(t)

    assert.equal((await send('conv-web-msg-1234')).status, 200)
    assert.equal(simulator.control.conversation('conv-web-msg-1234')?.messages.length, 1)
    simulator.control.configure({ conversations: { unknownConversation: 'not-found' } })
    assert.equal((await send('another')).status, 404)
    assert.equal((await send('conv-web-msg-1234')).status, 200)
  })

  it('answers a message to a conversation that is over as switched', async (t) => {
    const { simulator, create, send } = await scene(t)
    const id = String((await create()).body.id)
    simulator.control.close(id)

    for (const closedStatus of [409, 404, 410] as const) {
      simulator.control.configure({ closedStatus })
      assert.equal((await send(id)).status, closedStatus)
    }
  })

  it('A4 asks for one scope to open and another to send', async (t) => {
    const simulator = await startTestSimulator(t)
    const opener = await signIn(simulator, 'conversation:messaging:write')

    assert.equal((await opener.call('POST', path, wanted)).status, 201)
    const refused = await opener.call('POST', `${path}/messages`, {})
    assert.equal(refused.status, 403)
    assert.match(String(refused.body.message), /messaging:conversation:write/)
  })

  it('R1 has a quota of its own, 100 in a second unless told otherwise', async (t) => {
    const { simulator, send } = await scene(t, { rateLimit: { limit: 2, windowMs: 60_000 } })
    assert.deepEqual((await send('one')).headers.get('x-ratelimit-remaining'), '99')

    simulator.control.configure({ rateLimits: { conversations: { limit: 3, windowMs: 1_000 } } })
    const statuses: number[] = []
    for (let sent = 0; sent < 4; sent += 1) statuses.push((await send('one')).status)
    assert.deepEqual(statuses, [200, 200, 200, 429])
    simulator.control.advanceClock(1_000)
    assert.equal((await send('one')).status, 200)
  })
})
