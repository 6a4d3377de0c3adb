import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const dialect = 'conversations'
const guest = { name: 'Ada' }
const maxBytes = 64 * 1024

/** A message as the platform got it. */
interface SentBody {
  body: object
  metadata: { readReceipt: boolean; transmissionTimestamp: string }
  attachments?: object[]
}

describe('conversations: metadata (G8)', () => {
  const gateway = sharedGateway()
  const create = (metadata: object) =>
    gateway().api('POST', '/v1/sessions', { dialect, guest, metadata })
  const created = () =>
    gateway().simulator.control.received.list('conversations.createConversation')
  const last = () => created().at(-1)?.body as { metadata?: Record<string, unknown> }

  it('goes to the platform in its spelling, unknown keys as they came, nulls left out', async () => {
    const { status } = await create({
      botScore: 0.12,
      sourceChannel: 'web_portal',
      externalSessionId: 'ext-9921',
      shoeSize: 43,
      nested: { anyThing: [1, null, { größe: '🙂' }] },
      nothing: null,
    })
    assert.equal(status, 201)
    assert.deepEqual(last().metadata, {
      bot_score: 0.12,
      source_channel: 'web_portal',
      external_session_id: 'ext-9921',
      shoeSize: 43,
      nested: { anyThing: [1, null, { größe: '🙂' }] },
    })
  })

  it('is left out where there is none', async () => {
    assert.equal((await create({})).status, 201)
    assert.deepEqual(Object.keys(last()).sort(), ['initiator', 'to', 'type'])
    assert.equal((await gateway().api('POST', '/v1/sessions', { dialect, guest })).status, 201)
    assert.equal(last().metadata, undefined)
  })

  for (const botScore of [0, 1, 0.5, 1e-9]) {
    it(`takes a score of ${botScore}`, async () => {
      assert.equal((await create({ botScore })).status, 201)
      assert.equal(last().metadata?.bot_score, botScore)
    })
  }

  for (const botScore of [-0.01, 1.01, 2, '0.5', true]) {
    it(`refuses a score of ${JSON.stringify(botScore)}, with its place`, async () => {
      const before = created().length
      const { status, body } = await create({ botScore })
      assert.deepEqual([status, body.code], [400, 'invalid-request'])
      assert.equal(body.errors[0].pointer, '/metadata/botScore')
      assert.equal(created().length, before)
    })
  }

  // As it goes to the platform: {"a":"…"} is eight bytes and the text; bot_score is one byte more than botScore.
  for (const [name, filler, rest] of [
    ['of one byte', 'x', 8],
    ['of two bytes', 'é', 8],
    ['of four bytes', '🙂', 8],
  ] as const) {
    it(`takes 65,536 bytes of JSON and not one more, in characters ${name}`, async () => {
      const size = Buffer.byteLength(filler)
      const count = Math.floor((maxBytes - rest) / size)
      const padding = 'y'.repeat(maxBytes - rest - count * size)
      const exact = { a: filler.repeat(count) + padding }
      assert.equal(Buffer.byteLength(JSON.stringify(exact)), maxBytes)
      assert.equal((await create(exact)).status, 201)
      const before = created().length
      const { status, body } = await create({ a: `${exact.a}y` })
      assert.deepEqual([status, body.code], [413, 'metadata-too-large'])
      assert.equal(created().length, before, 'nothing is sent')
    })
  }

  it('is measured in the platform’s spelling', async () => {
    const metadata = { botScore: 0, a: '' }
    const spelled = JSON.stringify({ bot_score: 0, a: '' })
    metadata.a = 'x'.repeat(maxBytes - spelled.length)
    assert.equal((await create(metadata)).status, 201)
    metadata.a += 'x'
    assert.equal((await create(metadata)).body.code, 'metadata-too-large')
  })

  it('that the platform finds too large is metadata-too-large as well', async () => {
    const { simulator } = gateway()
    const operation = 'conversations.createConversation'
    simulator.control.faults.add({ kind: 'status', status: 413, operation, count: 1 })
    const { status, body } = await create({})
    assert.deepEqual([status, body.code, body.upstream.status], [413, 'metadata-too-large', 413])
  })
})

describe('conversations: creating', { concurrency: 4 }, () => {
  for (const field of ['id', 'conversationId', 'conversation_id', 'both'] as const) {
    it(`finds the conversation’s id in ${field}, and sends into it`, async (t) => {
      const { api, simulator } = await startTestGateway(t)
      simulator.control.configure({ conversations: { conversationIdField: field } })
      const session = await openSession(api, { dialect })
      assert.ok(simulator.control.conversation(session.conversationId))
      await send(api, session, 'Hello')
      const [sent] = simulator.control.received.list('conversations.sendMessage')
      assert.deepEqual((sent?.body as { to: object } | undefined)?.to, {
        id: session.conversationId,
        type: 'conversation',
      })
    })
  }

  it('names the visitor and the queue', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const asked = { dialect, guest: { id: 'visitor-9', name: 'Ada' }, routing: { queueId: 'q-1' } }
    const { body } = await api('POST', '/v1/sessions', asked)
    const [created] = simulator.control.received.list('conversations.createConversation')
    assert.deepEqual(created?.body, {
      type: 'messaging',
      initiator: { type: 'external', id: 'visitor-9', name: 'Ada' },
      to: { id: 'q-1', type: 'routingQueue' },
    })
    assert.equal(body.guestId, 'visitor-9')
  })

  it('needs a queue, the caller’s or the default, before anything is sent', async (t) => {
    const environment = { GENESYS_TARGET_QUEUE_ID: '' }
    const { api, simulator } = await startTestGateway(t, { environment })
    const { status, body } = await api('POST', '/v1/sessions', { dialect, guest })
    assert.deepEqual([status, body.code], [400, 'invalid-request'])
    assert.equal(body.errors[0].pointer, '/routing/queueId')
    assert.equal(simulator.control.received.list('conversations').length, 0)
    const routing = { queueId: 'queue-1' }
    assert.equal((await api('POST', '/v1/sessions', { dialect, guest, routing })).status, 201)
  })
})

describe('conversations: messages (M2, M3)', () => {
  const gateway = sharedGateway()
  const png = {
    contentType: 'image/png',
    url: 'https://files.example/a.png',
    fileName: 'a.png',
    sizeBytes: 1024,
  }
  const inject = async (body: object) => {
    const session = await openSession(gateway().api, { dialect })
    return gateway().api('POST', `/v1/sessions/${session.id}/messages`, body)
  }
  const sent = () => gateway().simulator.control.received.list('conversations.sendMessage')
  const last = () => sent().at(-1)?.body as SentBody

  it('carry their attachments in the platform’s words', async () => {
    const { status, body } = await inject({ text: 'A picture', attachments: [png] })
    assert.equal(status, 201)
    assert.deepEqual(body.attachments, [png])
    assert.deepEqual(last().attachments, [
      { contentType: 'image/png', url: png.url, fileName: 'a.png', size: 1024 },
    ])
    assert.deepEqual(last().body, { contentType: 'text/plain', content: 'A picture' })
  })

  it('have no attachments field where there are none', async () => {
    await inject({ text: 'Only words' })
    assert.equal('attachments' in last(), false)
  })

  for (const [asked, told] of [
    [undefined, true],
    [true, true],
    [false, false],
  ] as const) {
    it(`ask for a read receipt: ${told}, where the caller says ${asked}`, async () => {
      await inject({ text: 'Hello', ...(asked !== undefined && { readReceipt: asked }) })
      const { readReceipt, transmissionTimestamp } = last().metadata
      assert.equal(readReceipt, told)
      assert.ok(Math.abs(Date.parse(transmissionTimestamp) - Date.now()) < 60_000)
    })
  }

  it('report what the platform calls their delivery', async () => {
    const { simulator } = gateway()
    for (const deliveryStatus of ['queued', 'delivered']) {
      simulator.control.configure({ conversations: { deliveryStatus } })
      const { body } = await inject({ text: 'Hello' })
      assert.deepEqual([body.status, body.upstreamStatus], ['sent', deliveryStatus])
    }
  })

  for (const contentType of ['image/png', 'image/jpeg', 'application/pdf', 'text/plain']) {
    it(`may carry ${contentType}`, async () => {
      const { status } = await inject({ text: 'x', attachments: [{ ...png, contentType }] })
      assert.equal(status, 201)
    })
  }

  for (const [attachment, code, pointer, status] of [
    [{ ...png, contentType: 'image/gif' }, 'attachment-type-not-allowed', 'contentType', 422],
    [{ ...png, contentType: 'application/zip' }, 'attachment-type-not-allowed', 'contentType', 422],
    [{ ...png, sizeBytes: 26_214_401 }, 'attachment-too-large', 'sizeBytes', 413],
  ] as const) {
    it(`may not carry ${attachment.contentType} of ${attachment.sizeBytes} bytes, and nothing is sent`, async () => {
      const before = sent().length
      const answer = await inject({ text: 'x', attachments: [png, attachment] })
      assert.deepEqual([answer.status, answer.body.code], [status, code])
      assert.equal(answer.body.errors[0].pointer, `/attachments/1/${pointer}`)
      assert.equal(sent().length, before)
    })
  }

  it('may carry exactly 25 MiB', async () => {
    const { status } = await inject({
      text: 'x',
      attachments: [{ ...png, sizeBytes: 26_214_400 }],
    })
    assert.equal(status, 201)
  })

  for (const status of [413, 400] as const) {
    it(`that the platform finds too large (${status}) are message-too-large`, async () => {
      const { simulator } = gateway()
      const said = { message: 'body.content exceeds the limit of 4096', code: 'too.large' }
      simulator.control.faults.add({
        kind: 'status',
        status,
        body: said,
        operation: 'conversations.sendMessage',
        count: 1,
      })
      const answer = await inject({ text: 'x' })
      assert.deepEqual([answer.status, answer.body.code], [413, 'message-too-large'])
    })
  }

  it('to a conversation the platform does not know are upstream-rejected', async () => {
    const { simulator } = gateway()
    const operation = 'conversations.sendMessage'
    simulator.control.faults.add({ kind: 'status', status: 404, operation, count: 1 })
    const answer = await inject({ text: 'x' })
    assert.deepEqual(
      [answer.status, answer.body.code, answer.body.upstream.status],
      [422, 'upstream-rejected', 404],
    )
  })
})
