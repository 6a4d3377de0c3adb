import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  childOf,
  isSampled,
  newTrace,
  readTrace,
  spanIdOf,
  traceFrom,
  traceHeaders,
  traceIdOf,
  traceText,
} from '../../src/trace.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${spanId}-01`

describe('A traceparent', () => {
  const parentOf = (given: unknown) => readTrace({ traceparent: given as string })?.parent

  it('is taken as it is', () => {
    assert.deepEqual(readTrace({ traceparent }), { parent: traceparent, state: null })
  })

  it('of a later version is taken as far as this one knows it', () => {
    for (const given of [`01-${traceId}-${spanId}-01`, `cc-${traceId}-${spanId}-01-what-comes`]) {
      assert.equal(parentOf(given), traceparent, given)
    }
  })

  it('goes on without flags nobody has defined', () => {
    assert.equal(parentOf(`00-${traceId}-${spanId}-ff`), `00-${traceId}-${spanId}-03`)
    assert.equal(parentOf(`00-${traceId}-${spanId}-00`), `00-${traceId}-${spanId}-00`)
  })

  const malformed = [
    '',
    'junk',
    traceparent.toUpperCase(),
    `${traceparent} `,
    `${traceparent}-more`,
    `${traceparent}, ${traceparent}`,
    `ff-${traceId}-${spanId}-01`,
    `01-${traceId}-${spanId}-01more`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}`,
    `00-${traceId.slice(1)}-${spanId}-01`,
    `00-${traceId}-${spanId}-01\r\nx-evil: 1`,
    undefined,
    [traceparent, traceparent],
  ]
  for (const given of malformed) {
    it(`is not taken when it is ${JSON.stringify(given)}`, () => {
      assert.equal(readTrace({ traceparent: given as string, tracestate: 'a=1' }), undefined)
    })
  }
})

describe('A tracestate', () => {
  const stateOf = (tracestate: string | string[]) => readTrace({ traceparent, tracestate })?.state

  const valid = [
    'congo=t61rcWkgMzE',
    'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    'a=1, b=2,\tc=3',
    'a=1,,b=2,',
    'fw529a3039@dt=FfAAAAA,0a_-*/@sys=x y',
    `a=${'v'.repeat(256)}`,
    Array.from({ length: 32 }, (_, index) => `k${index}=v`).join(','),
  ]
  for (const given of valid) {
    it(`goes on untouched: ${given.slice(0, 60)}`, () => {
      assert.equal(stateOf(given), given)
    })
  }

  const invalid = [
    '',
    ',',
    'a',
    'a=',
    '=1',
    'A=1',
    'a=1,a=2',
    'a=1=2',
    'a =1',
    'a=\u0001',
    'a=ü',
    'a=1\r\nx-evil: 1',
    `a=${'v'.repeat(257)}`,
    `${'k'.repeat(257)}=v`,
    Array.from({ length: 33 }, (_, index) => `k${index}=v`).join(','),
    `a=${'v'.repeat(250)},b=${'v'.repeat(250)},c=${'v'.repeat(20)}`,
    ['a=1', 'b=2'],
  ]
  for (const given of invalid) {
    it(`is left out, and the trace goes on without: ${JSON.stringify(given).slice(0, 60)}`, () => {
      assert.deepEqual(readTrace({ traceparent, tracestate: given }), {
        parent: traceparent,
        state: null,
      })
    })
  }
})

describe('A trace', () => {
  it('made here is well formed, sampled, and another one each time', () => {
    const [one, two] = [newTrace(), newTrace()]
    assert.deepEqual(readTrace({ traceparent: one.parent }), one)
    assert.ok(isSampled(one))
    assert.notEqual(traceIdOf(one), traceIdOf(two))
  })

  it('keeps its id, flags and state below another span', () => {
    const given = { parent: `00-${traceId}-${spanId}-00`, state: 'a=1' }
    const child = childOf(given)
    assert.equal(traceIdOf(child), traceId)
    assert.notEqual(spanIdOf(child), spanId)
    assert.ok(!isSampled(child))
    assert.equal(child.state, 'a=1')
    assert.deepEqual(readTrace({ traceparent: child.parent, tracestate: 'a=1' }), child)
  })

  it('comes back from its text and goes into headers, with and without a state', () => {
    for (const state of [null, 'a=1, b=x y']) {
      const trace = { parent: traceparent, state }
      assert.deepEqual(traceFrom(traceText(trace)), trace)
      assert.deepEqual(readTrace(traceHeaders(trace)), trace)
    }
  })
})
