import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Breaker, type BreakerOptions } from '../../src/genesys/breaker.ts'
import type { FaultKind, Outcome } from '../../src/genesys/outcome.ts'
import { until } from '../support/until.ts'

const answer = (status: number): Outcome => ({
  kind: 'answer',
  status,
  headers: {},
  body: undefined,
  malformed: false,
  latencyMs: 1,
})

const fault = (kind: FaultKind): Outcome => ({
  kind: 'fault',
  fault: kind,
  fate: 'unknown',
  cause: new Error(kind),
  latencyMs: 1,
})

const breaker = (options: BreakerOptions = {}) =>
  new Breaker({ leastCalls: 5, firstBreakMs: 60, longestBreakMs: 100, ...options })

async function meet(breaker: Breaker, outcome: Outcome, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await breaker.run(async () => outcome)
}

async function opened(options: BreakerOptions = {}): Promise<Breaker> {
  const open = breaker(options)
  await meet(open, fault('connect'), 5)
  assert.equal(open.state, 'open')
  return open
}

describe('Breaker', () => {
  for (const outcome of [
    fault('connect'),
    fault('reset'),
    fault('timeout'),
    fault('protocol'),
    answer(503),
  ]) {
    const name = outcome.kind === 'fault' ? outcome.fault : outcome.status
    it(`opens when every call meets ${name}`, async () => {
      const circuit = breaker()
      await meet(circuit, outcome, 4)
      assert.equal(circuit.state, 'closed')
      await meet(circuit, outcome, 1)
      assert.equal(circuit.state, 'open')
    })
  }

  for (const outcome of [
    answer(400),
    answer(401),
    answer(404),
    answer(429),
    fault('invalid'),
    fault('crowded'),
  ]) {
    const name = outcome.kind === 'fault' ? outcome.fault : outcome.status
    it(`stays closed however often a call meets ${name}`, async () => {
      const circuit = breaker()
      await meet(circuit, outcome, 50)
      assert.equal(circuit.state, 'closed')
    })
  }

  it('stays closed for some failures among successes', async () => {
    const circuit = new Breaker()
    for (let n = 0; n < 20; n++) {
      await meet(circuit, fault('reset'), 2)
      await meet(circuit, answer(200), 1)
    }
    assert.equal(circuit.state, 'closed')
  })

  it('makes no call while open, and says how long that lasts', async () => {
    const circuit = await opened()
    const blocked = circuit.blockedForMs()
    assert.ok(blocked > 0 && blocked <= 60, `${blocked}`)
    const outcome = await circuit.run(() => assert.fail('it was called'))
    assert.equal(outcome.kind === 'fault' && outcome.fault, 'circuit-open')
    assert.equal(outcome.kind === 'fault' && outcome.fate, 'refused')
  })

  it('lets one call probe, and closes when it works', async () => {
    const circuit = await opened()
    await until('it may be probed', () => circuit.blockedForMs() === 0)
    const probe = Promise.withResolvers<Outcome>()
    const probing = circuit.run(() => probe.promise)
    assert.equal(circuit.state, 'half-open')
    assert.ok(circuit.blockedForMs() > 0)
    const other = await circuit.run(() => assert.fail('it was called'))
    assert.equal(other.kind === 'fault' && other.fault, 'circuit-open')
    probe.resolve(answer(200))
    await probing
    assert.equal(circuit.state, 'closed')
    assert.equal(circuit.blockedForMs(), 0)
  })

  it('stays open longer after a probe that fails, up to its bound', async () => {
    const circuit = await opened()
    for (const bound of [100, 100]) {
      await until('it may be probed', () => circuit.blockedForMs() === 0)
      await meet(circuit, answer(500), 1)
      assert.equal(circuit.state, 'open')
      const blocked = circuit.blockedForMs()
      assert.ok(blocked > 60 && blocked <= bound, `${blocked}`)
    }
  })

  it('tells of every change', async () => {
    const states: string[] = []
    const circuit = await opened({ onChange: (state) => states.push(state) })
    await until('it may be probed', () => circuit.blockedForMs() === 0)
    await meet(circuit, answer(200), 1)
    assert.deepEqual(states, ['open', 'half-open', 'closed'])
  })
})
