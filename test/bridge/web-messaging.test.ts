import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Simulator } from '../../src/simulator/simulator.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import {
  type Api,
  createSession,
  messageOf,
  openSession,
  respondAsync,
  retry,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { openSse, openStream } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { startOn, startPlatform } from './support/platform.ts'
import { echo, isMessage, outbound, sessionResponse } from './support/web-messaging.ts'

const dialect = 'web-messaging'
const connect = 'web-messaging.connect'

/** A gateway with an open session, and the platform's own ids of it. */
async function talking(t: Parameters<typeof startTestGateway>[0], options = {}) {
  const gateway = await startTestGateway(t, {
    environment: { GENESYS_FRAME_INTERVAL_MS: '0', GENESYS_ACK_TIMEOUT_MS: '2000' },
    ...options,
  })
  const session = await openSession(gateway.api, { dialect })
  await send(gateway.api, session, 'Hello')
  const [socket] = gateway.simulator.control.sockets.list()
  const conversation = gateway.simulator.control.conversation(socket?.subject ?? '')
  assert.ok(conversation)
  return { ...gateway, session, id: conversation.id, subject: socket?.subject ?? '' }
}

async function stateOf(api: Api, { id }: { id: string }) {
  const { body } = await api('GET', `/v1/sessions/${id}`)
  return { state: body.state, reason: body.closeReason, reconnects: body.stream.reconnects }
}

async function ends(api: Api, session: { id: string }, state: string, reason: string | RegExp) {
  const end = await until(`the session is ${state}`, async () => {
    const now = await stateOf(api, session)
    return now.state === state && now
  })
  if (typeof reason === 'string') assert.equal(end.reason, reason)
  else assert.match(end.reason, reason)
}

async function inbound(api: Api, session: { id: string }, count: number) {
  return until(`${count} messages of the other side`, async () => {
    const items = await transcript(api, session)
    const heard = items.filter(({ direction }) => direction === 'inbound')
    return heard.length >= count && heard
  })
}

function frames(simulator: Simulator, action: string) {
  return simulator.control.received
    .list(`${connect}.frame`)
    .map(({ body }) => body as Record<string, unknown>)
    .filter((frame) => frame.action === action)
}

describe('web-messaging: connecting', { concurrency: 4 }, () => {
  it('configures first, with a token of its own in every frame and the origin of the guest', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    let echoed = 0
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') socket.send(sessionResponse())
      else socket.send(echo(frame, `id-${++echoed}`))
    }
    const sessions = [
      await openSession(api, { dialect, origin: 'https://shop.example' }),
      await openSession(api, { dialect, guest: { name: 'Bo', attributes: { plan: 'pro' } } }),
    ]
    for (const session of sessions) await send(api, session, 'Hello')
    const dialled = new URL(platform.dials[0]?.url ?? '', platform.url)
    assert.equal(dialled.pathname, '/v1')
    assert.equal(dialled.searchParams.get('deploymentId'), 'deployment-1')
    assert.deepEqual(
      platform.dials.map(({ origin }) => origin),
      ['https://shop.example', undefined],
    )
    const tokens = platform.sockets.map(({ frames }) => {
      assert.deepEqual(
        frames.map(({ action }) => action),
        ['configureSession', 'onMessage'],
      )
      const [configure, message] = frames
      assert.equal(configure?.deploymentId, 'deployment-1')
      assert.equal(configure?.startNew, false)
      assert.ok(configure?.tracingId && message?.tracingId)
      assert.equal(configure?.token, message?.token)
      return configure?.token
    })
    assert.equal(new Set(tokens).size, 2)
    assert.ok(
      sessions.every(({ guestId }) => !tokens.includes(guestId)),
      'the id is no secret',
    )
    const [plain, attributed] = platform.sockets.map(({ frames }) => frames[1]?.message)
    assert.equal('channel' in (plain as object), false)
    assert.deepEqual((attributed as { channel: object }).channel, {
      metadata: { customAttributes: { plan: 'pro' } },
    })
  })

  it('goes on with the same token after a drop', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    let echoed = 0
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') {
        socket.send(sessionResponse({ newSession: platform.sockets.length === 1 }))
      } else if (isMessage(frame)) socket.send(echo(frame, `id-${++echoed}`))
    }
    const session = await openSession(api, { dialect })
    await send(api, session, 'before')
    platform.sockets[0]?.ws.terminate()
    assert.equal((await send(api, session, 'after')).body.status, 'sent')
    const configured = platform.sockets.map(({ frames }) => frames[0])
    assert.equal(configured[0]?.token, configured[1]?.token)
    assert.equal(configured[1]?.startNew, false)
  })

  it('dials again when the answer to configureSession is lost', async (t) => {
    const environment = { GENESYS_ACK_TIMEOUT_MS: '300', GENESYS_FRAME_INTERVAL_MS: '0' }
    const { api, simulator } = await startTestGateway(t, { environment })
    simulator.control.faults.add({
      kind: 'frame-drop',
      operation: connect,
      contains: 'SessionResponse',
      count: 1,
    })
    const session = await createSession(api, { dialect })
    assert.equal((await send(api, session, 'Hello')).body.status, 'sent')
    assert.equal(frames(simulator, 'configureSession').length, 2)
    await simulator.control.sockets.settled(1)
  })

  it('bears a configureSession that comes too fast', async (t) => {
    const environment = { GENESYS_ACK_TIMEOUT_MS: '300', GENESYS_FRAME_INTERVAL_MS: '0' }
    const { api, simulator } = await startTestGateway(t, { environment })
    simulator.control.faults.add({
      kind: 'frame-refuse',
      operation: connect,
      code: 429,
      contains: 'configureSession',
      count: 1,
    })
    const session = await openSession(api, { dialect })
    assert.equal((await stateOf(api, session)).state, 'active')
  })

  const refusals: [string, { ids?: string[]; allowedOrigins?: string[] }][] = [
    ['an unknown deployment', { ids: ['another'] }],
    ['a foreign origin', { allowedOrigins: ['https://other.example'] }],
  ]
  for (const [name, deployment] of refusals) {
    it(`takes a refusal of ${name} for final`, async (t) => {
      const { api, simulator } = await startTestGateway(t)
      simulator.control.configure({ webMessaging: { deployment } })
      const session = await createSession(api, { dialect })
      await ends(api, session, 'failed', 'the platform refused the stream (403)')
      assert.equal(simulator.control.received.list(connect).length, 1)
    })
  }
})

describe('web-messaging: what was missed', { concurrency: 4 }, () => {
  it('comes from the history, once and in order, with what is said meanwhile', async (t) => {
    const { api, simulator, session, id } = await talking(t)
    simulator.control.say(id, { text: 'heard 1' })
    await inbound(api, session, 1)
    simulator.control.faults.add({ kind: 'status', status: 503, operation: connect, count: 1 })
    simulator.control.faults.add({
      kind: 'latency',
      latencyMs: 200,
      operation: 'web-messaging.getMessages',
    })
    simulator.control.sockets.drop()
    for (let number = 1; number <= 30; number += 1) {
      simulator.control.say(id, { text: `missed ${number}` })
    }
    await until('the history is read', () => simulator.control.sockets.list().length === 1)
    await until('it is open', async () => (await stateOf(api, session)).reconnects === 1)
    simulator.control.say(id, { text: 'live 1' })
    const heard = await inbound(api, session, 32)
    assert.deepEqual(
      heard.map(({ text }) => text),
      ['heard 1', ...Array.from({ length: 30 }, (_, at) => `missed ${at + 1}`), 'live 1'],
    )
    assert.equal(new Set(heard.map(({ upstreamId }) => upstreamId)).size, 32)
  })

  for (const historyOrder of ['newest-first', 'oldest-first'] as const) {
    it(`does so whatever a page looks like (${historyOrder}, without times)`, async (t) => {
      const { api, simulator, session, id } = await talking(t)
      simulator.control.configure({ webMessaging: { historyOrder, historyTimes: 'null' } })
      simulator.control.say(id, { text: 'heard' })
      await inbound(api, session, 1)
      simulator.control.sockets.drop()
      for (const text of ['a', 'b', 'c']) simulator.control.say(id, { text })
      const heard = (await inbound(api, session, 4)).map(({ text }) => text)
      assert.deepEqual(heard.toSorted(), ['a', 'b', 'c', 'heard'])
      if (historyOrder === 'newest-first') assert.deepEqual(heard, ['heard', 'a', 'b', 'c'])
    })
  }

  for (const metadataEchoed of [true, false]) {
    it(`includes that a message of ours arrived (metadata ${metadataEchoed ? 'kept' : 'lost'})`, async (t) => {
      const { api, simulator, session } = await talking(t)
      simulator.control.configure({ webMessaging: { metadataEchoed } })
      const contains = 'Did you get this?'
      simulator.control.faults.add({ kind: 'frame-drop', operation: connect, contains })
      simulator.control.faults.add({
        kind: 'frame-close',
        direction: 'from-guest',
        operation: connect,
        contains,
        count: 1,
      })
      const { body } = await send(api, session, contains)
      assert.equal(body.status, 'unconfirmed')
      simulator.control.faults.remove()
      await until('it is known', async () => {
        return (await messageOf(api, session, contains)).status === 'sent'
      })
      const { upstreamId, error } = await messageOf(api, session, contains)
      assert.deepEqual([typeof upstreamId, error], ['string', null])
    })
  }
})

describe('web-messaging: a message in parts whose ack was lost', { concurrency: 4 }, () => {
  const small = {
    MAX_MESSAGE_BYTES: '40',
    GENESYS_FRAME_INTERVAL_MS: '0',
    GENESYS_ACK_TIMEOUT_MS: '2000',
  }
  const parts = ['a', 'b', 'c'].map((letter) => letter.repeat(40))
  const text = parts.join('')

  /** Sends it so that nobody hears of the part that is named, and reads the history afterwards. */
  async function lose(t: Parameters<typeof talking>[0], lost: string, metadataEchoed: boolean) {
    const gateway = await talking(t, { environment: small })
    const { api, simulator, session } = gateway
    simulator.control.configure({ webMessaging: { metadataEchoed } })
    const fault = { operation: connect, contains: lost }
    simulator.control.faults.add({ kind: 'frame-drop', ...fault })
    const direction = 'from-guest'
    simulator.control.faults.add({ kind: 'frame-close', direction, count: 1, ...fault })
    const split = { text, oversize: 'split' }
    const { body } = await api('POST', `/v1/sessions/${session.id}/messages`, split)
    assert.equal(body.status, 'unconfirmed')
    simulator.control.faults.remove()
    const known = await until('it is known', async () => {
      const message = await messageOf(api, session, text)
      return message.status !== 'unconfirmed' && message
    })
    return { ...gateway, known }
  }

  for (const metadataEchoed of [true, false]) {
    const told = metadataEchoed ? 'by its id' : 'by its text'
    it(`is sent when the last part turns out to have arrived (${told})`, async (t) => {
      const { known } = await lose(t, parts[2] ?? '', metadataEchoed)
      assert.deepEqual([known.status, known.error], ['sent', null])
      assert.deepEqual(
        known.parts.map((part: { status: string }) => part.status),
        ['sent', 'sent', 'sent'],
      )
      const ids = known.parts.map((part: { upstreamId: string }) => part.upstreamId)
      assert.equal(new Set(ids).size, 3)
    })

    it(`goes on with the rest when it is sent again (${told})`, async (t) => {
      const { known, api, session, simulator } = await lose(t, parts[1] ?? '', metadataEchoed)
      assert.deepEqual(
        known.parts.map((part: { status: string }) => part.status),
        ['sent', 'sent', 'failed'],
      )
      assert.deepEqual([known.status, known.error.retryable], ['failed', true])
      const again = await retry(api, session, known.id)
      assert.equal(again.body.status, 'sent')
      const texts = frames(simulator, 'onMessage').map(
        ({ message }) => (message as { text: string }).text,
      )
      assert.deepEqual(texts, ['Hello', ...parts])
    })
  }
})

describe('web-messaging: messages', { concurrency: 4 }, () => {
  it('are acknowledged by their echo and nothing else', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    const answered = Promise.withResolvers<() => void>()
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') return socket.send(sessionResponse())
      const other = { ...frame, tracingId: 'of somebody else' }
      socket.send(echo(other, 'id-other'))
      socket.send(outbound('in between', Date.now()))
      socket.send({
        type: 'message',
        class: 'Novel',
        code: 200,
        body: {},
        tracingId: frame.tracingId,
      })
      answered.resolve(() => socket.send(echo(frame, 'id-1')))
    }
    const session = await openSession(api, { dialect })
    const sending = send(api, session, 'Hello')
    const give = await answered.promise
    await until('what came in between', async () =>
      (await transcript(api, session)).some(({ text }) => text === 'in between'),
    )
    const [waiting] = (await transcript(api, session)).filter(({ text }) => text === 'Hello')
    assert.equal(waiting.status, 'sending')
    give()
    const { body } = await sending
    assert.deepEqual([body.status, body.upstreamId], ['sent', 'id-1'])
  })

  it('are acknowledged by an echo that names nothing, if it says the same', async (t) => {
    const platform = await startPlatform(t)
    const { api } = await startOn(t, platform)
    let echoed = 0
    platform.onFrame = (socket, frame) => {
      if (frame.action === 'configureSession') return socket.send(sessionResponse())
      const { tracingId, ...unnamed } = frame
      const other = { ...unnamed, message: { type: 'Text', text: 'Something else' } }
      if (echoed === 0) socket.send(echo(other, 'id-other'))
      echoed += 1
      // Each comes twice.
      socket.send(echo(unnamed, `id-${echoed}`))
      socket.send(echo(unnamed, `id-${echoed}`))
    }
    const session = await openSession(api, { dialect })
    const sent = [
      await send(api, session, 'Hello'),
      await send(api, session, 'Hello'),
      await send(api, session, 'Bye'),
    ]
    assert.deepEqual(
      sent.map(({ body }) => [body.status, body.upstreamId]),
      [
        ['sent', 'id-1'],
        ['sent', 'id-2'],
        ['sent', 'id-3'],
      ],
    )
    const texts = (await transcript(api, session)).map(({ text }) => text)
    assert.deepEqual(texts, ['Hello', 'Something else', 'Hello', 'Bye'])
  })

  it('of structured content lose nothing, in the transcript and in the stream', async (t) => {
    const { api, simulator, session, id, url } = await talking(t)
    const stream = await openStream(`${url}/v1/sessions/${session.id}/events`)
    t.after(() => stream.destroy())
    let streamed = ''
    stream.setEncoding('utf8').on('data', (text: string) => {
      streamed += text
    })
    const events = () =>
      streamed
        .split('\n')
        .filter((line) => line.startsWith('data: '))
        .map((line) => JSON.parse(line.slice('data: '.length)).data)
    const rich = {
      card: {
        contentType: 'Card',
        card: {
          title: 'Your order',
          description: 'größer 🙂',
          image: 'https://files.example/a.png',
          actions: [
            { type: 'Link', text: 'Look', url: 'https://shop.example/1' },
            { type: 'Postback', text: 'Cancel', payload: 'cancel' },
          ],
        },
      },
      reply: {
        contentType: 'QuickReply',
        quickReply: { text: 'Yes', payload: 'yes', action: 'Message' },
      },
      picker: {
        contentType: 'DatePicker',
        datePicker: {
          title: 'When?',
          availableTimes: [{ dateTime: '2026-03-04T09:30Z', duration: 60 }],
        },
      },
      novel: { contentType: 'Hologram', hologram: { depth: [1, { a: null }] } },
      file: {
        contentType: 'Attachment',
        attachment: {
          id: 'f-1',
          mediaType: 'File',
          url: 'https://files.example/bill.pdf',
          filename: 'bill.pdf',
          mime: 'application/pdf',
          fileSize: 48213,
        },
      },
    }
    for (const item of Object.values(rich)) {
      simulator.control.say(id, { author: 'bot', text: `a ${item.contentType}`, content: [item] })
    }
    simulator.control.say(id, { author: 'bot', content: [rich.card, rich.reply] })
    const heard = await inbound(api, session, 6)
    const expected = [
      ...Object.values(rich).map((item) => [`a ${item.contentType}`, [item]]),
      ['', [rich.card, rich.reply]],
    ]
    assert.deepEqual(
      heard.map(({ text, content }) => [text, content]),
      expected,
    )
    assert.deepEqual(heard[4].attachments, [
      {
        contentType: 'application/pdf',
        url: 'https://files.example/bill.pdf',
        fileName: 'bill.pdf',
        sizeBytes: 48213,
      },
    ])
    await until('the stream has them', () => events().length >= 6)
    assert.deepEqual(
      events().map(({ text, content }) => [text, content]),
      expected,
    )
  })

  it('show typing both ways, no more often than the platform takes it', async (t) => {
    const { api, simulator, session, id, url } = await talking(t)
    simulator.control.configure({ webMessaging: { violationsBeforeClose: 1 } })
    const events = await openSse(`${url}/v1/sessions/${session.id}/events`)
    t.after(() => events.close())
    for (let key = 0; key < 5; key += 1) {
      assert.equal((await api('POST', `/v1/sessions/${session.id}/typing`)).status, 204)
    }
    await until('it arrives', () => frames(simulator, 'onMessage').length === 2)
    simulator.control.type(id)
    await until('typing', () => events.types.includes('typing'))
    await send(api, session, 'after that')
    assert.equal(frames(simulator, 'onMessage').length, 3)
    assert.equal((await stateOf(api, session)).reconnects, 0)
  })

  it('show no typing once the session is over', async (t) => {
    const { api, session } = await talking(t)
    await api('DELETE', `/v1/sessions/${session.id}`)
    const { status, body } = await api('POST', `/v1/sessions/${session.id}/typing`)
    assert.deepEqual([status, body.code], [409, 'session-closed'])
  })

  it('come so many at a time that the platform refuses none', async (t) => {
    const { api, simulator, session } = await talking(t)
    simulator.control.configure({ webMessaging: { violationsBeforeClose: 1 } })
    const texts = Array.from({ length: 16 }, (_, at) => `message ${at}`)
    const answers = []
    for (const text of texts) answers.push(await send(api, session, text, respondAsync))
    for (const { body } of answers) {
      assert.equal((await settled(api, session, body.id)).status, 'sent')
    }
    assert.equal((await stateOf(api, session)).reconnects, 0)
    assert.equal(frames(simulator, 'onMessage').length, 17)
  })

  it('that come too fast all the same wait as long as they are told, and leave once', async (t) => {
    const { api, simulator, session, id } = await talking(t)
    const refused = { kind: 'frame-refuse', operation: connect, code: 429, count: 1 } as const
    simulator.control.faults.add({ ...refused, contains: 'too fast' })
    const startedAt = performance.now()
    const { body } = await send(api, session, 'too fast')
    assert.deepEqual([body.status, body.attempts], ['sent', 2])
    assert.ok(performance.now() - startedAt >= 1_000, 'it waits a second')
    const there = simulator.control.conversation(id)?.messages.map(({ text }) => text)
    assert.deepEqual(there, ['Hello', 'too fast'])
  })

  it('are told whatever fields and classes come with them', async (t) => {
    const { api, simulator, session } = await talking(t)
    const push = (frame: Record<string, unknown>) =>
      simulator.control.sockets.push({ operation: connect, frame })
    const strange: Record<string, unknown>[] = [
      { type: 'message', class: 'Unknown', code: 200, body: { a: 1 } },
      { type: 'response', class: 'ResumeTokenResponse', code: 200, body: {} },
      { type: 'message', class: 'UploadSuccessEvent', code: 200, body: { attachmentId: 'none' } },
      { type: 'response', class: 'GetConfigurationResponse', code: 200, body: {} },
      { class: 'StructuredMessage' },
      { class: 'StructuredMessage', code: 200, body: { type: 'Event', events: 'none' } },
      { class: 'string', code: 200, body: 'fine' },
      { code: 'two hundred', body: [] },
      {},
    ]
    for (const frame of strange) push(frame)
    const frame = outbound('with much around it', Date.now(), {
      status: 'Sent',
      reasons: [],
      novel: { deep: [true] },
      originatingEntity: 'Oracle',
    })
    push({ ...frame, type: 'response', code: '200', extra: [1, 2] })
    const [message] = await inbound(api, session, 1)
    assert.deepEqual([message.text, message.author], ['with much around it', 'agent'])
    assert.equal((await send(api, session, 'Still here')).body.status, 'sent')
  })
})

describe('web-messaging: how it ends', { concurrency: 4 }, () => {
  it('is read-only when the agent disconnects, and says so when that was missed', async (t) => {
    const { api, simulator, session, id } = await talking(t)
    const contains = '"Disconnect"'
    simulator.control.faults.add({ kind: 'frame-drop', operation: connect, contains, count: 1 })
    simulator.control.close(id)
    const refused = await send(api, session, 'Anybody?')
    assert.deepEqual(
      [refused.status, refused.body.code, refused.body.retryable],
      [409, 'session-closed', false],
    )
    await ends(api, session, 'closed', 'read-only')
  })

  it('is read-only on the next connection as well', async (t) => {
    const { api, simulator, session, id } = await talking(t)
    const contains = '"Disconnect"'
    simulator.control.faults.add({ kind: 'frame-drop', operation: connect, contains, count: 1 })
    simulator.control.close(id)
    simulator.control.sockets.drop()
    await ends(api, session, 'closed', 'read-only')
  })

  it('is no end where the deployment lets the guest write on', async (t) => {
    const { api, simulator, session, id } = await talking(t)
    simulator.control.configure({
      webMessaging: { deployment: { conversationDisconnect: 'Send' } },
    })
    simulator.control.close(id)
    assert.equal((await send(api, session, 'One more thing')).body.status, 'sent')
    assert.equal((await stateOf(api, session)).state, 'active')
  })

  it('is an end when the session expires', async (t) => {
    const { api, simulator, session, subject } = await talking(t)
    simulator.control.expire(subject)
    await ends(api, session, 'expired', 'session expired')
    await simulator.control.sockets.settled(0)
  })

  it('is an end when another connection takes its place: it never dials again', async (t) => {
    const { api, simulator, session, subject } = await talking(t)
    simulator.control.displace(subject)
    await ends(api, session, 'closed', /^displaced: /)
    await simulator.control.sockets.settled(0)
    const dials = simulator.control.received.list(connect).filter(({ method }) => method === 'GET')
    assert.equal(dials.length, 1)
    const { body } = await api('GET', '/v1/stats')
    assert.equal(body.streams.upstream, 0)
  })

  for (const [name, state, reason] of [
    ['SessionClearedEvent', 'closed', 'cleared'],
    ['SessionExpiredEvent', 'expired', 'session expired'],
    ['LogoutEvent', 'closed', 'logged out'],
    ['ConnectionClosedEvent', 'closed', 'displaced: another connection'],
  ] as const) {
    it(`is an end when a ${name} comes`, async (t) => {
      const { api, simulator, session } = await talking(t)
      const frame = { type: 'message', class: name, code: 200, body: {} }
      simulator.control.sockets.push({ frame })
      await ends(api, session, state, reason)
    })
  }

  for (const wasOpen of [true, false]) {
    it(`made here is told to the platform (the stream is ${wasOpen ? 'open' : 'down'})`, async (t) => {
      const { api, simulator, session, id } = await talking(t)
      if (!wasOpen) {
        const fault = { kind: 'status', status: 503, operation: connect, count: 1 } as const
        simulator.control.faults.add(fault)
        simulator.control.sockets.drop()
        await until('it is down', async () => (await stateOf(api, session)).reconnects === 1)
      }
      await api('DELETE', `/v1/sessions/${session.id}`)
      await until('the conversation is over', () => {
        return simulator.control.conversation(id)?.status !== 'ACTIVE'
      })
      await simulator.control.sockets.settled(0)
      await ends(api, session, 'closed', 'closed by the caller')
    })
  }
})

describe('web-messaging: what the platform refuses', { concurrency: 2 }, () => {
  // biome-ignore format: a table
  const table: [number, string, number, string | null][] = [
    [400, 'upstream-rejected', 422, null],
    [401, 'upstream-unauthorized', 502, 'failed: authentication failed'],
    [404, 'upstream-rejected', 422, null],
    [409, 'session-closed', 409, 'closed: read-only'],
    [413, 'message-too-large', 413, null],
    [4000, 'upstream-rejected', 422, null],
    [4001, 'attachment-type-not-allowed', 422, null],
    [4002, 'attachment-too-large', 413, null],
    [4003, 'upstream-rejected', 422, null],
    [4004, 'upstream-rejected', 422, null],
    [4005, 'upstream-rejected', 422, null],
    [4006, 'session-closed', 409, 'expired: session expired'],
    [4007, 'session-closed', 409, 'expired: session not found'],
    [4008, 'upstream-rejected', 422, null],
    [4009, 'upstream-rejected', 422, null],
    [4010, 'upstream-rejected', 422, null],
    [4011, 'message-too-large', 413, null],
    [4012, 'upstream-rejected', 422, null],
    [4013, 'metadata-too-large', 413, null],
    [4014, 'upstream-rejected', 422, null],
    [4017, 'session-closed', 409, 'failed: the token belongs to an authenticated guest'],
    [4020, 'upstream-rejected', 422, null],
    [4102, 'upstream-rejected', 422, null],
    [4999, 'upstream-rejected', 422, null],
  ]
  let shared: Promise<TestGateway> | undefined
  const gateway = () => {
    shared ??= startTestGateway(
      { after: (end) => void closing.push(end as () => Promise<void>) },
      { environment: { GENESYS_FRAME_INTERVAL_MS: '0' } },
    )
    return shared
  }
  const closing: (() => Promise<void>)[] = []

  for (const [code, problem, status, end] of table) {
    it(`with ${code} is ${problem}${end ? `, and the session is ${end}` : ''}`, async () => {
      const { api, simulator } = await gateway()
      const session = await openSession(api, { dialect })
      simulator.control.faults.add({
        kind: 'frame-refuse',
        operation: connect,
        code,
        message: 'No, thank you',
        contains: `refused with ${code}`,
        count: 1,
      })
      const answer = await send(api, session, `refused with ${code}`)
      assert.deepEqual([answer.status, answer.body.code], [status, problem])
      assert.match(answer.body.detail, /No, thank you/)
      assert.equal((await messageOf(api, session, `refused with ${code}`)).status, 'failed')
      if (end) {
        const [state = '', reason = ''] = end.split(': ')
        await ends(api, session, state, reason)
      } else assert.equal((await send(api, session, 'And now?')).body.status, 'sent')
      await api('DELETE', `/v1/sessions/${session.id}`)
    })
  }

  for (const errorClass of ['Error', 'ErrorMessage'] as const) {
    it(`is understood as an object of class ${errorClass} too, and without a tracing id`, async (t) => {
      const { api, simulator, session } = await talking(t)
      simulator.control.configure({ webMessaging: { errorClass, tracingIdOnErrors: false } })
      const refused = { kind: 'frame-refuse', operation: connect, code: 4011, count: 1 } as const
      simulator.control.faults.add({ ...refused, contains: 'too long' })
      const answer = await send(api, session, 'too long')
      assert.deepEqual([answer.status, answer.body.code], [413, 'message-too-large'])
    })
  }

  it('leaves nothing behind', async () => {
    await gateway()
    for (const end of closing.toReversed()) await end()
  })
})
