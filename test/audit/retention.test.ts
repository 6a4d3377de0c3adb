import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { movingTime, passUntil } from '../bridge/support/moving-time.ts'
import { startTestGateway } from '../support/gateway.ts'
import { openSession, send } from '../support/sessions.ts'
import { actionsOf, entriesOf, exported, named } from './support.ts'
import { verdictOn } from './written.ts'

const hour = 3_600_000

describe('The retention of a session and of its audit', { concurrency: 2 }, () => {
  it('removes the session first, its entries later, and leaves a tombstone', async (t) => {
    const clock = movingTime()
    const environment = { SESSION_RETENTION: '1h', AUDIT_RETENTION: '3h' }
    const { api } = await startTestGateway(t, { environment, overrides: { clock } })
    const session = await openSession(api)
    await send(api, session, 'Hello')
    await api('DELETE', `/v1/sessions/${session.id}`)
    const before = await entriesOf(api, session)
    const isGone = async () => (await api('GET', `/v1/sessions/${session.id}`)).status === 404

    clock.advance(hour)
    await passUntil(clock, isGone, hour / 6)
    assert.deepEqual(await entriesOf(api, session), before)

    clock.advance(2 * hour)
    await passUntil(clock, async () => (await entriesOf(api, session)).length === 1, hour / 6)
    const tombstone = await named(api, session, 'audit_removed')
    const { entries, numbers, lastHash } = tombstone.details
    assert.deepEqual([entries, numbers, lastHash], [4, '1-4', before.at(-1)?.hash])
    const { verification } = (await api('GET', '/v1/audit?verify=true')).body
    assert.deepEqual(verification, { valid: true, checked: 1, firstBroken: null })
    assert.equal(verdictOn(Buffer.from(await exported(api))).broken, null)
  })

  it('keeps the entries as long as the session, whatever AUDIT_RETENTION says', async (t) => {
    const clock = movingTime()
    const environment = { SESSION_RETENTION: '2h', AUDIT_RETENTION: '1h' }
    const { api } = await startTestGateway(t, { environment, overrides: { clock } })
    const session = await openSession(api)
    await api('DELETE', `/v1/sessions/${session.id}`)
    clock.advance(hour)
    for (let minutes = 0; minutes < 5; minutes += 1) clock.advance(60_000)
    const kept = ['session_created', 'session_activated', 'session_closed']
    assert.deepEqual(await actionsOf(api, session), kept)
    clock.advance(hour)
    const isLeft = async () => (await actionsOf(api, session)).join() === 'audit_removed'
    await passUntil(clock, isLeft, hour / 6)
  })
})
