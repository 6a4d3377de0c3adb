import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { ExpiryWatch } from '../../src/sessions/expiry-watch.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { created, ended } from '../../src/sessions/steps.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { openFor } from '../store/engines.ts'
import { sampleSession } from '../store/samples.ts'
import { startTestGateway } from '../support/gateway.ts'
import { openSession, send } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { pass } from './support/moving-time.ts'

const minute = 60_000
const hour = 60 * minute

async function start(t: TestContext) {
  const clock = new FakeClock()
  const store = await openFor(t, 'memory')
  const registry = new SessionRegistry(store)
  const cause = { at: clock.now(), actor: null, trace: null }
  const { id } = await registry.insert(created(sampleSession({ version: 0, sequence: 0 }), cause))
  const watch = new ExpiryWatch({
    registry,
    clock,
    onTrouble: (_id, error) => assert.fail(error as Error),
  })
  t.after(() => watch[Symbol.dispose]())
  const told = async () =>
    (await store.eventsOf(id, 0, 100))
      .filter(({ type }) => type === 'session.expiring')
      .map(({ data }) => JSON.parse(data).tokenExpiresAt as string)
  return { clock, registry, id, watch, told, cause, pass: (ms: number) => pass(clock, ms, minute) }
}

describe('the warning before the end of a session', { concurrency: 4 }, () => {
  it('comes five minutes before it, once, and names it', async (t) => {
    const { clock, id, watch, told, pass } = await start(t)
    const endsAt = clock.now() + hour
    watch.set(id, endsAt)
    await pass(54 * minute)
    assert.deepEqual(await told(), [])
    await pass(2 * minute)
    assert.deepEqual(await told(), [new Date(endsAt).toISOString()])
    watch.set(id, endsAt)
    await pass(10 * minute)
    assert.equal((await told()).length, 1)
  })

  it('waits with an end that the guest puts off by speaking', async (t) => {
    const { clock, id, watch, told, pass } = await start(t)
    watch.set(id, clock.now() + hour)
    await pass(50 * minute)
    const endsAt = clock.now() + hour
    watch.move(id, endsAt)
    await pass(50 * minute)
    assert.deepEqual(await told(), [])
    await pass(6 * minute)
    assert.deepEqual(await told(), [new Date(endsAt).toISOString()])
  })

  it('comes again for another end', async (t) => {
    const { clock, id, watch, told, pass } = await start(t)
    watch.set(id, clock.now() + 10 * minute)
    await pass(6 * minute)
    watch.move(id, clock.now() + 10 * minute)
    await pass(6 * minute)
    assert.equal((await told()).length, 2)
  })

  it('does not come where no end is known, or the session is over', async (t) => {
    const { clock, registry, id, watch, told, cause, pass } = await start(t)
    watch.move(id, clock.now() + 10 * minute)
    await pass(20 * minute)
    watch.set(id, clock.now() + 10 * minute)
    watch.forget(id)
    await pass(20 * minute)
    watch.set(id, clock.now() + 10 * minute)
    await registry.change(id, (session) => ended(session, 'closed', 'closed', cause))
    await pass(20 * minute)
    assert.deepEqual(await told(), [])
  })

  it('is an event of web-messaging sessions, by the end their platform tells', async (t) => {
    const { api, simulator, url } = await startTestGateway(t)
    simulator.control.configure({ webMessaging: { deployment: { sessionDurationSeconds: 302 } } })
    const session = await openSession(api, { dialect: 'web-messaging' })
    const events = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    t.after(() => events.close())
    await send(api, session, 'I am still here')
    await until('the warning', () => events.types.includes('session.expiring'))
    const warning = events.events.find(({ data }) => data.type === 'session.expiring')
    const leftMs = Date.parse(warning?.data.data.tokenExpiresAt) - Date.parse(warning?.data.time)
    assert.ok(Math.abs(leftMs - 5 * minute) < 1_500, `${leftMs} ms before`)
  })
})
