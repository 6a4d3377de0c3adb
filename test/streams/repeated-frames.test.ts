import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { openSocket } from '../support/session-socket.ts'
import { openSession, transcript } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { tokenFor } from './support/tokens.ts'

const hello = { type: 'message', id: 'mine-1', text: 'Hello' }

describe('A message said again under the same id', () => {
  const gateway = sharedGateway()

  it('after a reconnect is acknowledged as the first, and sent once', async (t) => {
    const { api, url } = gateway()
    const session = await openSession(api)
    const route = `${url}/v1/sessions/${session.id}/ws`
    const first = await openSocket(route)
    first.say(hello)
    const { messageId } = await first.frame('ack', { id: 'mine-1' })
    first.ws.terminate()

    const again = (await openSocket(route)).endWith(t)
    again.say(hello)
    assert.deepEqual(await again.frame('ack', { id: 'mine-1' }), {
      type: 'ack',
      id: 'mine-1',
      messageId,
    })
    again.say({ ...hello, id: 'mine-2' })
    const other = await again.frame('ack', { id: 'mine-2' })
    assert.notEqual(other.messageId, messageId)
    assert.equal((await transcript(api, session)).length, 2)
  })

  it('is the same whoever holds the connection: a key, one token, another token', async (t) => {
    const { api, url } = gateway()
    const session = await openSession(api)
    const connections = [
      await openSocket(`${url}/v1/sessions/${session.id}/ws`),
      await openSocket((await tokenFor(api, session, { canSend: true })).websocketUrl),
      await openSocket((await tokenFor(api, session, { canSend: true })).websocketUrl),
    ]
    const acked = new Set<string>()
    for (const socket of connections) {
      socket.endWith(t).say(hello)
      acked.add((await socket.frame('ack', { id: 'mine-1' })).messageId)
    }
    assert.equal(acked.size, 1)
    assert.equal((await transcript(api, session)).length, 1)
  })

  it('with another text is idempotency-key-reused, and not sent', async (t) => {
    const { api, url } = gateway()
    const session = await openSession(api)
    const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
    socket.say(hello)
    await socket.frame('ack', { id: 'mine-1' })
    socket.say({ ...hello, text: 'Goodbye' })
    const { problem } = await socket.frame('error', { id: 'mine-1' })
    assert.deepEqual([problem.code, problem.status], ['idempotency-key-reused', 422])
    assert.equal((await transcript(api, session)).length, 1)
  })

  it('in another session is another message', async (t) => {
    const { api, url } = gateway()
    const ids = new Set<string>()
    for (const text of ['Hello', 'Goodbye']) {
      const session = await openSession(api)
      const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
      socket.say({ ...hello, text })
      ids.add((await socket.frame('ack', { id: 'mine-1' })).messageId)
    }
    assert.equal(ids.size, 2)
  })

  it('after a refusal is judged anew', async (t) => {
    const { api, url } = gateway()
    const session = await openSession(api)
    const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
    socket.say({ ...hello, text: 'a blocked_keyword' })
    assert.equal((await socket.frame('error')).problem.code, 'content-blocked')
    socket.say(hello)
    await socket.frame('ack', { id: 'mine-1' })
  })

  it('a day later is another message', async (t) => {
    const time = new MovableTime(systemClock)
    const { api, url } = await startTestGateway(t, { overrides: { clock: time } })
    const session = await openSession(api)
    const acked: string[] = []
    for (const laterMs of [0, 86_000_000, 500_000]) {
      time.advance(laterMs)
      const socket = (await openSocket(`${url}/v1/sessions/${session.id}/ws`)).endWith(t)
      socket.say(hello)
      acked.push((await socket.frame('ack', { id: 'mine-1' })).messageId)
      socket.ws.terminate()
    }
    assert.equal(acked[0], acked[1])
    assert.notEqual(acked[1], acked[2])
  })

  it('is known after kill -9', async (t) => {
    const simulator = await startSimulator({ activationMs: 0, rateLimit: 'off', agent: false })
    t.after(() => simulator[Symbol.asyncDispose]())
    const settings = settingsFor(simulator, { STORE: 'sqlite:gateway.db' })
    const folder = temporaryFolder(t)
    const acked = new Set<string>()
    let session: { id: string } | undefined
    for (let life = 0; life < 2; life += 1) {
      const { api, url, kill } = await startGatewayProcess(t, folder, settings)
      session ??= await openSession(api)
      const socket = await openSocket(`${url}/v1/sessions/${session.id}/ws`)
      socket.say(hello)
      acked.add((await socket.frame('ack', { id: 'mine-1' })).messageId)
      if (life === 1) assert.equal((await transcript(api, session)).length, 1)
      await kill()
    }
    assert.equal(acked.size, 1)
  })
})
