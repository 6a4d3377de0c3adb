import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it, type TestContext } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { textsAt, timesTaken, timesTried } from '../support/far-end.ts'
import {
  type GatewayProcess,
  settingsFor,
  startGatewayProcess,
} from '../support/gateway-process.ts'
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

async function start(t: TestContext) {
  const simulator = await startSimulator({ activationMs: 0, agent: false, rateLimit: 'off' })
  t.after(() => simulator[Symbol.asyncDispose]())
  const folder = temporaryFolder(t)
  const settings = settingsFor(simulator, { STORE: 'sqlite:gateway.db' })
  const restart = () => startGatewayProcess(t, folder, settings)
  return { simulator, restart, gateway: await restart() }
}

/** From now on every write to a file fails, as on a full disk; nothing else does. */
const fillDisk = (gateway: GatewayProcess) => limitFiles(gateway, '0')
const makeRoom = (gateway: GatewayProcess) => limitFiles(gateway, 'unlimited')

function limitFiles({ pid }: GatewayProcess, bytes: string): void {
  const set = spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${bytes}:`])
  assert.equal(set.status, 0, String(set.stderr ?? set.error))
}

/** Every answer of the gateway while its store has trouble. */
function assertOverloaded({ status, body, headers }: Awaited<ReturnType<typeof send>>): void {
  assert.deepEqual([status, body.code], [503, 'overloaded'], JSON.stringify(body))
  assert.equal(body.retryable, true)
  assert.equal(headers.get('retry-after'), String(body.retryAfterSeconds))
}

describe('a gateway whose disk is full', { concurrency: 2 }, () => {
  it('refuses writes, answers reads, makes no guest, and goes on when there is room', async (t) => {
    const { gateway, simulator } = await start(t)
    const { api, url } = gateway
    const session = await openSession(api)
    assert.equal((await send(api, session, 'before')).status, 201)
    fillDisk(gateway)

    assertOverloaded(await send(api, session, 'refused'))
    assertOverloaded(await send(api, session, 'refused', respondAsync))
    assertOverloaded(await send(api, session, 'refused', { 'idempotency-key': 'refused' }))
    assertOverloaded(await api('POST', '/v1/sessions', { guest: { name: 'Bob' } }))
    assertOverloaded(await api('DELETE', `/v1/sessions/${session.id}`))
    // What cannot be remembered is not begun.
    assert.equal(simulator.control.received.list('external-guests.createGuest').length, 1)
    assert.deepEqual(textsAt(simulator), ['before'])

    assert.equal((await api('GET', `/v1/sessions/${session.id}`)).body.state, 'active')
    assert.equal((await transcript(api, session)).length, 1)
    assert.equal((await api('GET', '/v1/sessions')).body.items.length, 1)
    assert.equal((await api('GET', '/v1/stats')).status, 200)
    assert.equal((await fetch(`${url}/health/live`)).status, 200)
    const ready = await api('GET', '/health/ready')
    assert.equal(ready.status, 503)
    assert.match(ready.body.reasons.join(), /^store: /)

    makeRoom(gateway)
    await until('it is ready again', async () => (await api('GET', '/health/ready')).status === 200)
    const answer = await send(api, session, 'refused', { 'idempotency-key': 'refused' })
    assert.equal(answer.body.status, 'sent')
    assert.equal((await api('POST', '/v1/sessions', { guest: { name: 'Bob' } })).status, 201)
    assert.equal((await api('DELETE', `/v1/sessions/${session.id}`)).body.state, 'closed')
    assert.deepEqual(textsAt(simulator), ['before', 'refused'])
    assert.equal((await gateway.stop()).code, 0)
  })

  it('sends nothing twice when the outcome of a message cannot be written', async (t) => {
    const { gateway, simulator } = await start(t)
    const { api } = gateway
    const session = await openSession(api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 500, when: 'after', count: 1, operation })
    const accepted = await send(api, session, 'once', respondAsync)
    await until('it has been taken', () => timesTaken(simulator, 'once') === 1)
    fillDisk(gateway)
    await until('its outcome could not be written', async () => {
      return (await api('GET', '/health/ready')).status === 503
    })
    assert.equal((await messageOf(api, session, 'once')).status, 'sending')

    makeRoom(gateway)

    assert.equal((await settled(api, session, accepted.body.id)).status, 'sent')
    assert.equal((await send(api, session, 'next')).body.status, 'sent')
    assert.deepEqual([timesTried(simulator, 'once'), textsAt(simulator)], [1, ['once', 'next']])
    assert.equal((await gateway.stop()).code, 0)
  })

  it('calls a message unconfirmed when it dies before the outcome could be written', async (t) => {
    const { gateway, simulator, restart } = await start(t)
    const session = await openSession(gateway.api)
    const { faults } = simulator.control
    faults.add({ kind: 'latency', latencyMs: 500, when: 'after', count: 1, operation })
    await send(gateway.api, session, 'once', respondAsync)
    await until('it has been taken', () => timesTaken(simulator, 'once') === 1)
    fillDisk(gateway)
    await until('its outcome could not be written', async () => {
      return (await gateway.api('GET', '/health/ready')).status === 503
    })

    await gateway.kill()
    const { api } = await restart()

    assert.equal((await messageOf(api, session, 'once')).status, 'unconfirmed')
    assert.equal(timesTried(simulator, 'once'), 1)
  })

  it('keeps what it has accepted, and sends it in order when there is room', async (t) => {
    const { gateway, simulator } = await start(t)
    const { api } = gateway
    simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const texts = ['one', 'two', 'three']
    for (const text of texts) await send(api, session, text, respondAsync)
    fillDisk(gateway)
    simulator.control.freezeRouting(false)
    await until('it met the full disk', async () => {
      return (await api('GET', '/health/ready')).status === 503
    })
    assert.deepEqual(textsAt(simulator), [], 'what cannot be written down does not leave')

    makeRoom(gateway)

    await until('all have left', async () => {
      return (await transcript(api, session)).every(({ status }) => status === 'sent')
    })
    assert.deepEqual(textsAt(simulator), texts)
    assert.equal((await gateway.stop()).code, 0)
  })
})
