import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import type { SimulatorOptions } from '../../src/simulator/options.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { textsAt, timesTried } from '../support/far-end.ts'
import { adminKey } from '../support/gateway.ts'
import { type Environment, settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import {
  createSession,
  messageOf,
  openSession,
  respondAsync,
  send,
  settled,
  transcript,
} from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const operation = 'external-guests.sendMessage'

async function prepare(
  t: TestContext,
  { environment = {}, ...options }: Partial<SimulatorOptions> & { environment?: Environment } = {},
) {
  const simulator = await startSimulator({
    activationMs: 0,
    agent: false,
    rateLimit: 'off',
    ...options,
  })
  t.after(() => simulator[Symbol.asyncDispose]())
  const folder = temporaryFolder(t)
  const settings = settingsFor(simulator, { STORE: 'sqlite:gateway.db', ...environment })
  return { simulator, start: () => startGatewayProcess(t, folder, settings) }
}

describe('SIGTERM', { concurrency: 4 }, () => {
  it('ends at once when nothing is going on', async (t) => {
    const { start } = await prepare(t)
    const gateway = await start()
    const { code, tookMs } = await gateway.stop()
    assert.equal(code, 0)
    assert.ok(tookMs < 2000, `it took ${tookMs} ms`)
  })

  it('lets what has left come back, answers who waits, and sends the rest after the next start', async (t) => {
    const { simulator, start } = await prepare(t)
    const first = await start()
    const session = await openSession(first.api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 800, when: 'after', count: 1, operation })
    const leaving = send(first.api, session, 'leaving')
    await until('it has left', () => timesTried(simulator, 'leaving') === 1)
    const waiting = send(first.api, session, 'waiting', { 'idempotency-key': 'waiting' })
    await until('it waits', async () => (await transcript(first.api, session)).length === 2)
    const accepted = await send(first.api, session, 'accepted', respondAsync)

    const stopped = first.stop()
    const refused = await until('it stops', async () => {
      const answer = await first.api('GET', '/v1/sessions')
      return answer.status !== 200 && answer
    })

    assert.deepEqual([refused.status, refused.body.code], [503, 'shutting-down'])
    assert.equal(refused.body.retryable, true)
    assert.ok(refused.headers.get('retry-after'))
    assert.deepEqual([accepted.status, (await waiting).status], [202, 202])
    assert.ok([201, 202].includes((await leaving).status))
    assert.equal((await stopped).code, 0)
    assert.deepEqual(textsAt(simulator), ['leaving'])

    const second = await start()
    await until('the rest has left', async () => {
      const messages = await transcript(second.api, session)
      return messages.every(({ status }) => status === 'sent')
    })
    assert.deepEqual(textsAt(simulator), ['leaving', 'waiting', 'accepted'])
    const repeat = await send(second.api, session, 'waiting', { 'idempotency-key': 'waiting' })
    assert.deepEqual([repeat.status, repeat.body], [202, (await waiting).body])
    assert.equal(repeat.headers.get('idempotent-replayed'), 'true')
  })

  it('does not forget a refusal that comes while it stops', async (t) => {
    const { simulator, start } = await prepare(t)
    const first = await start()
    const session = await openSession(first.api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 500, count: 2, operation })
    faults.add({ kind: 'status', status: 400, contains: 'never', operation })
    const never = send(first.api, session, 'never')
    await until('it has left', () => timesTried(simulator, 'never') === 1)
    assert.equal((await first.stop()).code, 0)
    assert.ok([202, 422].includes((await never).status))

    const second = await start()
    const message = await messageOf(second.api, session, 'never')
    assert.deepEqual([message.status, message.error.code], ['failed', 'upstream-rejected'])
  })

  it('keeps for later what meets a passing fault while it stops', async (t) => {
    const { simulator, start } = await prepare(t)
    const first = await start()
    const session = await openSession(first.api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 500, count: 1, operation })
    faults.add({ kind: 'status', status: 503, retryAfter: 5, count: 1, operation })
    const { body } = await send(first.api, session, 'later', respondAsync)
    await until('it has left', () => timesTried(simulator, 'later') === 1)
    assert.equal((await first.stop()).code, 0)
    assert.deepEqual(textsAt(simulator), [])

    const second = await start()
    assert.equal((await settled(second.api, session, body.id)).status, 'sent')
    assert.deepEqual(textsAt(simulator), ['later'])
  })

  it('does not wait for a guest that is still being routed', async (t) => {
    const { simulator, start } = await prepare(t)
    simulator.control.freezeRouting(true)
    const first = await start()
    const session = await createSession(first.api)
    const poll = first.api('GET', `/v1/sessions/${session.id}?wait=active&timeoutMs=60000`)
    const message = send(first.api, session, 'Hello')
    await until('it is in line', async () => (await transcript(first.api, session)).length === 1)

    const { code, tookMs } = await first.stop()

    assert.equal(code, 0)
    assert.ok(tookMs < 3000, `it took ${tookMs} ms`)
    assert.deepEqual([(await message).status, (await message).body.status], [202, 'accepted'])
    assert.deepEqual([(await poll).status, (await poll).body.state], [200, 'pending'])
    simulator.control.freezeRouting(false)
    const second = await start()
    assert.equal((await settled(second.api, session, (await message).body.id)).status, 'sent')
  })

  it('gives up on a platform that hangs: a message then is unconfirmed', async (t) => {
    const { simulator, start } = await prepare(t)
    const first = await start()
    const session = await openSession(first.api)
    simulator.control.faults.add({ kind: 'hang', count: 1, operation })
    const hanging = send(first.api, session, 'hanging')
    await until('it has left', () => timesTried(simulator, 'hanging') === 1)
    const next = await send(first.api, session, 'next', respondAsync)

    const { code, tookMs } = await first.stop()

    assert.equal(code, 0)
    assert.ok(tookMs < 10_000, `it took ${tookMs} ms`)
    assert.equal((await hanging).status, 202)
    const second = await start()
    assert.equal((await settled(second.api, session, next.body.id)).status, 'sent')
    assert.equal((await messageOf(second.api, session, 'hanging')).status, 'unconfirmed')
    assert.deepEqual(textsAt(simulator), ['next'])
  })

  it('gives up on a platform that hangs: a creation then is answered', async (t) => {
    const { simulator, start } = await prepare(t)
    const gateway = await start()
    const creation = 'external-guests.createGuest'
    simulator.control.faults.add({ kind: 'hang', count: 1, operation: creation })
    const created = gateway.api('POST', '/v1/sessions', { guest: { name: 'Ada' } })
    await until('it has left', () => simulator.control.received.list(creation).length === 1)

    const { code, tookMs } = await gateway.stop()

    assert.equal(code, 0)
    assert.ok(tookMs < 10_000, `it took ${tookMs} ms`)
    const { status, body } = await created
    assert.ok(status >= 500, JSON.stringify(body))
    // Another guest may come of it, and no message twice.
    assert.equal(body.retryable, true)
  })

  it('is not held by a caller that never ends its request', async (t) => {
    const { start } = await prepare(t)
    const gateway = await start()
    const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1')
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    socket.write(
      `POST /v1/sessions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${adminKey}\r\n` +
        'Content-Type: application/json\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n',
    )
    // The gateway has read the head: it asks for the body, which never comes.
    await once(socket, 'data')

    const { code, tookMs } = await gateway.stop()

    assert.equal(code, 0)
    assert.ok(tookMs < 10_000, `it took ${tookMs} ms`)
  })
})
