import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { noteReceipt } from '../../src/sessions/late-truth.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import { messagesOf, streams } from '../support/described-streams.ts'
import { platformIs, startAgainst } from '../support/gateway.ts'
import { readStore } from '../support/read-store.ts'
import { openSocket } from '../support/session-socket.ts'
import { openSession, send, settled } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { seenMessages } from '../support/wire/watch.ts'
import { addWebhook, allowPrivate } from '../webhooks/support/destination.ts'
import { startReceiver } from '../webhooks/support/receiver.ts'
import { shop, tokenFor } from './support/tokens.ts'

const described = Object.keys(streams.channels).flatMap((channel) =>
  (['gateway', 'client'] as const).flatMap((speaker) =>
    [...messagesOf(channel, speaker).keys()].map((name) => `${channel} ${speaker} ${name}`),
  ),
)
const missing = () => described.filter((message) => !seenMessages().has(message))

describe('Every message of openapi/asyncapi.yaml', () => {
  it('goes over every channel it is described for, as it is described', async (t) => {
    const simulator = await startSimulator({ activationMs: 0, rateLimit: 'off', agent: false })
    t.after(() => simulator[Symbol.asyncDispose]())
    const file = `${temporaryFolder(t)}/gateway.db`
    const start = () => startFollowed(t, simulator, file)

    const first = await start()
    await first.tellWebhooks()
    const [spoken] = await Promise.all([
      speak(first, simulator),
      talk(first, simulator),
      outlive(first, simulator),
    ])
    await first.stop()

    // No surface of today reports how far a message came. One that will does it so.
    await report(file, spoken)
    const second = await start()
    await second.follow(spoken.sessionId)
    await until('all of them', () => missing().length === 0).catch((error: unknown) => {
      assert.deepEqual(missing(), [], String(error))
    })
  })
})

type Followed = Awaited<ReturnType<typeof startFollowed>>

/** A gateway whose every session has a reader of each kind. */
async function startFollowed(t: TestContext, simulator: Simulator, file: string) {
  const { gateway, api, url } = await startAgainst({
    ...platformIs(simulator),
    ...allowPrivate,
    ALLOWED_ORIGINS: shop,
    GENESYS_FRAME_INTERVAL_MS: '0',
    STORE: `sqlite:${file}`,
  })
  const stop = () => gateway[Symbol.asyncDispose]()
  t.after(stop)
  // From beyond the end: it is told so, and begins anew.
  const all = await openSse(`${url}/v1/events?after=999999`)
  t.after(() => all.close())
  return {
    api,
    url,
    stop,
    async follow(sessionId: string, after = 0) {
      const { token } = await tokenFor(api, { id: sessionId }, { canSend: true })
      const route = `${url}/v1/sessions/${sessionId}`
      const events = await openSse(`${route}/events?after=${after}`)
      t.after(() => events.close())
      const options = { bearer: token, origin: shop }
      return (await openSocket(`${route}/ws?after=${after}`, options)).endWith(t)
    },
    async tellWebhooks() {
      const receiver = await startReceiver(t)
      await addWebhook(api, receiver.url)
      await addWebhook(api, receiver.url, { format: 'analytics' })
    },
  }
}

/** Somebody who talks with an agent until that is over. */
async function talk({ api, follow }: Followed, { control }: Simulator) {
  const session = await openSession(api, { dialect: 'guest-sessions' })
  const socket = await follow(session.id, 999_999)
  await socket.frame('stream.reset')
  await socket.frame('session.stream_opened')
  socket.say({ type: 'message', id: 'mine', text: 'Hello' })
  await socket.frame('message.sent')
  socket.say({ type: 'typing' })
  await socket.frame('error')
  socket.say({ type: 'renew', token: (await tokenFor(api, session, { canSend: true })).token })
  control.type(session.guestId)
  await socket.frame('typing')
  control.say(session.guestId, { text: 'How can I help?' })
  await socket.frame('message.received')
  const consent = { marketing: true, personalization: true, analytics: true }
  await api('PUT', `/v1/sessions/${session.id}/consent`, consent)
  await api('POST', `/v1/sessions/${session.id}/refresh`)
  control.sockets.drop({ operation: 'guest-sessions' })
  await socket.frame('session.stream_lost')
  await api('DELETE', `/v1/sessions/${session.id}`)
  await socket.closed
}

/** Somebody whose time on the platform runs out, and somebody whom it does not let in again. */
async function outlive({ api, follow }: Followed, { control }: Simulator) {
  // A session is told five minutes ahead.
  control.configure({ webMessaging: { deployment: { sessionDurationSeconds: 302 } } })
  const forgotten = await openSession(api, { dialect: 'web-messaging' })
  const socket = await follow(forgotten.id)
  await send(api, forgotten, 'I am still here')
  await socket.frame('session.expiring')
  const operation = 'web-messaging.connect'
  const [guest] = control.sockets.list({ operation: 'web-messaging' })
  const outage = control.faults.add({ kind: 'status', status: 503, operation })
  control.sockets.drop({ operation: 'web-messaging' })
  control.forget(guest?.subject ?? '')
  control.faults.remove(outage.id)
  await socket.frame('session.expired')

  const refused = await openSession(api, { dialect: 'web-messaging' })
  const other = await follow(refused.id)
  await send(api, refused, 'Let me in')
  control.faults.add({ kind: 'status', status: 403, operation })
  control.sockets.drop({ operation: 'web-messaging' })
  await other.frame('session.failed')
}

/** Somebody whose messages meet every fate; returns one that arrived. */
async function speak({ api, follow }: Followed, { control }: Simulator) {
  const session = await openSession(api, { dialect: 'external-guests' })
  await follow(session.id)
  const sent = await send(api, session, 'Hello')
  const operation = 'external-guests.sendMessage'
  control.faults.add({ kind: 'status', status: 422, operation, count: 1 })
  await send(api, session, 'refused')
  control.faults.add({ kind: 'reset', when: 'after', operation, count: 1 })
  const lost = await send(api, session, 'lost')
  assert.equal((await settled(api, session, lost.body.id)).status, 'unconfirmed')
  return { sessionId: session.id, upstreamId: String(sent.body.upstreamId) }
}

/** The platform says that it was delivered, and that it was read. */
async function report(file: string, sent: { sessionId: string; upstreamId: string }) {
  await using store = await readStore(file)
  const deps = { store, registry: new SessionRegistry(store), clock: systemClock }
  for (const status of ['delivered', 'read'] as const) {
    await noteReceipt(deps, sent.sessionId, {
      kind: 'receipt',
      status,
      upstreamId: sent.upstreamId,
    })
  }
}
