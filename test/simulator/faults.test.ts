import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { FaultRequest } from '../../src/simulator/fault-rules.ts'
import { activeGuest, signIn, startTestSimulator } from './support.ts'

async function scene(t: TestContext) {
  const simulator = await startTestSimulator(t)
  const api = await signIn(simulator)
  const guest = await activeGuest(simulator, api)
  const { control } = simulator
  return { simulator, control, api, guest }
}

describe('faults', () => {
  const broken: { fault: FaultRequest; acted: boolean; error: string }[] = [
    { fault: { kind: 'reset' }, acted: false, error: 'ECONNRESET' },
    { fault: { kind: 'reset', when: 'after' }, acted: true, error: 'ECONNRESET' },
    { fault: { kind: 'truncated' }, acted: true, error: 'UND_ERR_SOCKET' },
    { fault: { kind: 'truncated', when: 'before' }, acted: false, error: 'UND_ERR_SOCKET' },
  ]
  for (const { fault, acted, error } of broken) {
    const moment = acted ? 'after' : 'before'
    it(`M5 ${fault.kind} ${moment} acting ${acted ? 'keeps' : 'does not keep'} the message`, async (t) => {
      const { control, api, guest } = await scene(t)
      control.faults.add({ ...fault, operation: 'external-guests.sendMessage', count: 1 })

      await assert.rejects(api.send(guest), (thrown: Error & { cause?: { code?: string } }) => {
        assert.equal(thrown.cause?.code, error)
        return true
      })

      assert.equal((await api.transcript(guest)).length, acted ? 1 : 0)
      const [request] = control.received.list('external-guests.sendMessage')
      assert.equal(request?.acted, acted)
      assert.equal(request?.fault, fault.kind)
      assert.equal(request?.answeredStatus, null)
    })
  }

  for (const when of ['before', 'after'] as const) {
    it(`M5 hang ${when} acting never answers`, async (t) => {
      const { control, api, guest } = await scene(t)
      control.faults.add({ kind: 'hang', when, operation: 'external-guests.sendMessage' })
      const arrived = control.received.next(({ fault }) => fault === 'hang')

      const answer = api.send(guest)
      const request = await arrived
      assert.equal(request.acted, when === 'after')
      control.reset()
      await assert.rejects(answer)
    })
  }

  it('malformed keeps the message and answers success with a body that is not JSON', async (t) => {
    const { control, api, guest } = await scene(t)
    control.faults.add({ kind: 'malformed', operation: 'external-guests.sendMessage' })

    await assert.rejects(api.send(guest), SyntaxError)

    assert.equal(control.received.list('external-guests.sendMessage')[0]?.answeredStatus, 201)
    assert.equal((await api.transcript(guest)).length, 1)
  })

  it('status answers as told, before acting or after', async (t) => {
    const { control, api, guest } = await scene(t)
    const operation = 'external-guests.sendMessage'
    control.faults.add({ kind: 'status', status: 503, retryAfter: 2, operation, count: 1 })
    control.faults.add({ kind: 'status', status: 502, when: 'after', operation, count: 1 })
    control.faults.add({ kind: 'status', status: 418, body: { tea: true }, operation, skip: 2 })

    const refused = await api.send(guest)
    assert.equal(refused.status, 503)
    assert.equal(refused.body.code, 'service.unavailable')
    assert.equal(refused.headers.get('retry-after'), '2')
    assert.equal((await api.send(guest)).status, 502)
    assert.deepEqual((await api.send(guest)).body, { tea: true })
    assert.equal((await api.transcript(guest)).length, 1)
  })

  it('a fault after acting waits for a request that was acted on', async (t) => {
    const { control, api, guest } = await scene(t)
    control.faults.add({ kind: 'status', status: 500, when: 'after', count: 1 })

    assert.equal((await api.send(guest, { text: '' })).status, 400)
    assert.equal((await api.send(guest)).status, 500)
  })

  it('latency holds the answer until the clock has moved', async (t) => {
    const { control, api, guest } = await scene(t)
    control.faults.add({ kind: 'latency', latencyMs: 3_600_000, when: 'after', count: 1 })
    let answered = false

    const answer = api.send(guest).finally(() => {
      answered = true
    })
    while ((await api.transcript(guest)).length === 0) assert.equal(answered, false)
    assert.equal(answered, false)
    control.advanceClock(3_600_000)

    // The hour of waiting outlived the token, but the call had been let in before.
    assert.equal((await answer).status, 201)
  })

  it('a storm of 429 comes with its Retry-After and passes', async (t) => {
    const { control, api } = await scene(t)
    control.faults.add({ kind: 'rate-limit', retryAfter: 7, count: 2 })

    const answers = [await api.create(), await api.create(), await api.create()]

    assert.deepEqual(
      answers.map(({ status }) => status),
      [429, 429, 201],
    )
    assert.equal(answers[0]?.headers.get('retry-after'), '7')
  })

  it('hits only what it was ordered for', async (t) => {
    const { control, api, guest } = await scene(t)
    control.faults.add({ kind: 'status', status: 500, contains: 'second' })
    control.faults.add({ kind: 'status', status: 500, clientId: 'somebody else' })
    control.faults.add({ kind: 'status', status: 500, operation: 'oauth' })

    assert.equal((await api.send(guest, { text: 'first' })).status, 201)
    assert.equal((await api.send(guest, { text: 'second' })).status, 500)
  })

  it('draws its victims from the seed', async (t) => {
    const run = async () => {
      const { control, api, guest } = await scene(t)
      control.faults.add({ kind: 'status', status: 500, probability: 0.5 })
      const statuses: number[] = []
      for (let sent = 0; sent < 20; sent += 1) statuses.push((await api.send(guest)).status)
      return statuses
    }

    const first = await run()
    assert(first.includes(500) && first.includes(201))
    assert.deepEqual(await run(), first)
  })
})
