import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts'
import {
  type GatewayProcess,
  settingsFor,
  startGatewayProcess,
} from '../support/gateway-process.ts'
import { messageOf, openSession, respondAsync, send, transcript } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { said } from './support/bridge.ts'
import { startPlatform } from './support/platform.ts'

async function world(t: TestContext) {
  const simulator = await startSimulator({
    seed: 'kill',
    activationMs: 0,
    agent: false,
    rateLimit: 'off',
  })
  t.after(() => simulator[Symbol.asyncDispose]())
  const folder = temporaryFolder(t)
  const socketOrigin = simulator.url.replace('http', 'ws')
  const settings = settingsFor(simulator, {
    STORE: 'sqlite:gateway.db',
    GENESYS_CHANNEL_CONFIG_ID: 'channel-1',
    GENESYS_DEPLOYMENT_ID: 'deployment-1',
    GENESYS_MESSAGING_WS_URL: socketOrigin,
    GENESYS_WEB_MESSAGING_URL: socketOrigin,
    GENESYS_FRAME_INTERVAL_MS: '0',
  })
  return { simulator, start: () => startGatewayProcess(t, folder, settings) }
}

function conversationOf(simulator: Simulator) {
  const [socket] = simulator.control.sockets.list()
  const conversation = simulator.control.conversation(socket?.subject ?? '')
  assert.ok(conversation)
  return conversation
}

async function heard({ api }: GatewayProcess, session: { id: string }): Promise<string[]> {
  const items = await transcript(api, session)
  return items.filter(({ direction }) => direction === 'inbound').map(({ text }) => text)
}

describe('kill -9 with a stream open', { concurrency: 2 }, () => {
  it('web-messaging: what was said meanwhile is heard once, and what arrived is known to have', async (t) => {
    const { simulator, start } = await world(t)
    const first = await start()
    const session = await openSession(first.api, { dialect: 'web-messaging' })
    await send(first.api, session, 'Hello')
    const there = conversationOf(simulator)
    simulator.control.say(there.id, { text: 'heard before' })
    await until('it', async () => (await heard(first, session)).length === 1)
    const echoes = { operation: 'web-messaging.connect', contains: '"Inbound"' }
    simulator.control.faults.add({ kind: 'frame-drop', ...echoes })
    const inFlight = await send(first.api, session, 'in flight', respondAsync)
    const behind = await send(first.api, session, 'behind it', respondAsync)
    assert.deepEqual([inFlight.status, behind.status], [202, 202])
    await until('it is there', () => there.messages.some(({ text }) => text === 'in flight'))
    await first.kill()
    simulator.control.faults.remove()
    for (const text of ['missed 1', 'missed 2']) simulator.control.say(there.id, { text })

    const second = await start()
    await until('what was missed', async () => (await heard(second, session)).length === 3)
    assert.deepEqual(await heard(second, session), ['heard before', 'missed 1', 'missed 2'])
    for (const text of ['in flight', 'behind it']) {
      await until(`${text} is sent`, async () => {
        return (await messageOf(second.api, session, text)).status === 'sent'
      })
    }
    assert.deepEqual(
      there.messages.filter(({ side }) => side === 'guest').map(({ text }) => text),
      ['Hello', 'in flight', 'behind it'],
    )
    const { body } = await second.api('GET', `/v1/sessions/${session.id}`)
    assert.deepEqual([body.state, body.stream.reconnects], ['active', 1])
  })

  it('guest-sessions: dials again with the newest token', async (t) => {
    const { simulator, start } = await world(t)
    const first = await start()
    const session = await openSession(first.api, { dialect: 'guest-sessions' })
    await send(first.api, session, 'Hello')
    assert.equal((await first.api('POST', `/v1/sessions/${session.id}/refresh`)).status, 200)
    await first.kill()
    await simulator.control.sockets.settled(0)

    const second = await start()
    assert.equal((await send(second.api, session, 'And again')).body.status, 'sent')
    assert.equal((await second.api('POST', `/v1/sessions/${session.id}/refresh`)).status, 200)
    const dials = simulator.control.received
      .list('guest-sessions.connect')
      .filter(({ method }) => method === 'GET')
    assert.deepEqual(
      dials.map(({ answeredStatus }) => answeredStatus),
      [101, 101],
    )
  })

  it('guest-sessions: knows what it heard before when the platform says it again', async (t) => {
    const platform = await startPlatform(t)
    const settings = {
      PORT: '0',
      API_KEYS: 'admin:admin:test-admin-key',
      STORE: 'sqlite:gateway.db',
      GENESYS_BASE_URL: platform.httpUrl,
      GENESYS_CLIENT_ID: 'client-1',
      GENESYS_CLIENT_SECRET: 'fake-client-secret',
      GENESYS_CHANNEL_CONFIG_ID: 'channel-1',
    }
    const folder = temporaryFolder(t)
    platform.onOpen = (socket) => {
      socket.send(said('first'))
      if (platform.sockets.length === 2) socket.send(said('second'))
    }
    const before = await startGatewayProcess(t, folder, settings)
    const session = await openSession(before.api, { dialect: 'guest-sessions' })
    await until('the first', async () => (await heard(before, session)).length === 1)
    await before.kill()

    const after = await startGatewayProcess(t, folder, settings)
    await until('the second', async () => (await heard(after, session)).length === 2)
    assert.deepEqual(await heard(after, session), ['first', 'second'])
  })

  it('messaging-guests: closes the session, and its token is not tried again', async (t) => {
    const { simulator, start } = await world(t)
    const first = await start()
    const session = await openSession(first.api, { dialect: 'messaging-guests' })
    await send(first.api, session, 'Hello')
    const contains = '"ack"'
    const operation = 'messaging-guests.connect'
    simulator.control.faults.add({ kind: 'frame-drop', operation, contains })
    await send(first.api, session, 'in flight', respondAsync)
    await send(first.api, session, 'behind it', respondAsync)
    const there = conversationOf(simulator)
    await until('it is there', () => there.messages.some(({ text }) => text === 'in flight'))
    await first.kill()

    const second = await start()
    const { body } = await second.api('GET', `/v1/sessions/${session.id}`)
    assert.deepEqual([body.state, body.closeReason], ['closed', 'stream-lost'])
    await until('the rest has failed', async () => {
      return (await messageOf(second.api, session, 'behind it')).status === 'failed'
    })
    assert.equal((await messageOf(second.api, session, 'in flight')).status, 'unconfirmed')
    const dials = simulator.control.received
      .list(operation)
      .filter(({ method }) => method === 'GET')
    assert.equal(dials.length, 1, 'a spent token is not tried again')
  })
})
