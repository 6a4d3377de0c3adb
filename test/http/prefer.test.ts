import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSession, openSession, send, settled } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

describe('Prefer on a message', () => {
  const gateway = sharedGateway()
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)

  /** A session whose guest is not routed before the test is over. */
  async function pendingSession() {
    gateway().simulator.control.freezeRouting(true)
    return createSession(api)
  }

  for (const prefer of [
    'respond-async',
    'RESPOND-ASYNC',
    'wait=0',
    'foo, respond-async',
    'respond-async; x=1, bar=2',
  ]) {
    it(`answers 202 with Location at once: ${prefer}`, async () => {
      const session = await pendingSession()
      const { status, body, headers } = await send(api, session, 'Hello', { prefer })
      assert.equal(status, 202)
      assert.equal(body.status, 'accepted')
      assert.equal(headers.get('preference-applied'), 'respond-async')
      const location = headers.get('location')
      assert.equal(location, `/v1/sessions/${session.id}/messages/${body.id}`)
      assert.deepEqual((await api('GET', location)).body, body)
    })
  }

  for (const prefer of ['wait=1', 'wait="1"', 'wait = 1', 'respond-async, wait=1']) {
    it(`answers 202 with Location after a second: ${prefer}`, async () => {
      const session = await pendingSession()
      const startedAt = performance.now()
      const { status, body, headers } = await send(api, session, 'Hello', { prefer })
      assert.ok(performance.now() - startedAt > 990)
      assert.equal(status, 202)
      assert.equal(headers.get('location'), `/v1/sessions/${session.id}/messages/${body.id}`)
    })
  }

  it('is ignored where it says nothing we know', async () => {
    gateway().simulator.control.freezeRouting(false)
    const session = await openSession(api)
    for (const prefer of [
      '',
      'handling=lenient',
      'wait',
      'wait=soon',
      'wait=-1',
      'return=minimal, ,;',
    ]) {
      const { status, headers } = await send(api, session, 'Hello', { prefer })
      assert.equal(status, 201, prefer)
      assert.equal(headers.get('preference-applied'), null)
    }
  })

  it('has the message leave after its 202', async () => {
    gateway().simulator.control.freezeRouting(false)
    const session = await openSession(api)
    const { body } = await send(api, session, 'Hello', { prefer: 'respond-async' })
    assert.equal((await settled(api, session, body.id)).status, 'sent')
  })
})
