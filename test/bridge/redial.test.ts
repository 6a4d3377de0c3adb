import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StreamEnd } from '../../src/genesys/socket.ts'
import {
  afterEnd,
  type EndContext,
  longestPauseMs,
  newcomerPatienceMs,
  redialDelayMs,
} from '../../src/sessions/redial.ts'

type Ended = Exclude<StreamEnd, { by: 'us' }>

const hour = 3_600_000
const resumable: EndContext = {
  resumable: true,
  canRefresh: false,
  downForMs: 0,
  keptForMs: 72 * hour,
}
const refreshable: EndContext = { ...resumable, canRefresh: true }
const onceOnly: EndContext = { ...resumable, resumable: false }
const refused = (status: number): Ended => ({ by: 'refusal', status, retryAfterMs: null })
const broken: Ended = { by: 'network', detail: 'reset' }

describe('afterEnd', () => {
  const ends: Ended[] = [
    broken,
    { by: 'platform', code: 1000, reason: '' },
    { by: 'platform', code: 1001, reason: 'Going away' },
    { by: 'platform', code: 1006, reason: '' },
    { by: 'platform', code: 1008, reason: 'too many requests' },
    { by: 'platform', code: 1011, reason: '' },
    refused(408),
    refused(425),
    refused(429),
    refused(500),
    refused(502),
    refused(503),
    refused(504),
  ]
  for (const end of ends) {
    it(`dials again after ${JSON.stringify(end)}`, () => {
      assert.deepEqual(afterEnd(end, resumable), { kind: 'redial', notBeforeMs: 0 })
      assert.deepEqual(afterEnd(end, refreshable), { kind: 'redial', notBeforeMs: 0 })
    })
  }

  it('waits as long as the platform says, within reason', () => {
    const later = { by: 'refusal', status: 503, retryAfterMs: 20_000 } as const
    assert.deepEqual(afterEnd(later, resumable), { kind: 'redial', notBeforeMs: 20_000 })
    const tomorrow = { ...later, retryAfterMs: 86_400_000 }
    assert.deepEqual(afterEnd(tomorrow, resumable), { kind: 'redial', notBeforeMs: longestPauseMs })
  })

  for (const status of [400, 401, 403, 404, 410]) {
    it(`takes an upgrade answered ${status} for final where no token can be rotated`, () => {
      const next = afterEnd(refused(status), resumable)
      assert.equal(next.kind === 'over' && next.state, 'failed')
      assert.match(next.kind === 'over' ? next.reason : '', new RegExp(String(status)))
    })
  }

  it('rotates the token after a 401 or a 403 where it can (G6)', () => {
    assert.deepEqual(afterEnd(refused(401), refreshable), { kind: 'refresh' })
    assert.deepEqual(afterEnd(refused(403), refreshable), { kind: 'refresh' })
    assert.equal(afterEnd(refused(404), refreshable).kind, 'over')
  })

  it('ends what cannot be resumed as closed, saying stream-lost (G10)', () => {
    for (const end of [broken, refused(403), refused(503)]) {
      assert.deepEqual(afterEnd(end, onceOnly), {
        kind: 'over',
        state: 'closed',
        reason: 'stream-lost',
      })
    }
  })

  for (const [who, keptForMs, patienceMs] of [
    ['a guest after as long as the platform keeps it', 72 * hour, 72 * hour],
    ['one that was never let in after five minutes', null, newcomerPatienceMs],
  ] as const) {
    it(`gives up ${who}, also when only the token is in the way`, () => {
      for (const [end, context] of [
        [broken, resumable],
        [refused(503), resumable],
        [refused(401), refreshable],
      ] as const) {
        const downFor = (downForMs: number) => afterEnd(end, { ...context, downForMs, keptForMs })
        assert.notEqual(downFor(patienceMs).kind, 'over')
        assert.deepEqual(downFor(patienceMs + 1), {
          kind: 'over',
          state: 'failed',
          reason: 'stream-lost',
        })
      }
    })
  }
})

describe('redialDelayMs', () => {
  it('comes soon at first, and doubles up to a minute', () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 7, 8, 20, 5_000].map((attempt) =>
      redialDelayMs(attempt, () => 1),
    )
    assert.deepEqual(
      longest,
      [300, 550, 1_050, 2_050, 4_050, 8_050, 16_050, 32_050, 60_050, 60_050, 60_050],
    )
  })

  it('is spread over the whole of it, so that many do not come at once', () => {
    assert.equal(
      redialDelayMs(4, () => 0),
      50,
    )
    const delays = Array.from({ length: 200 }, () => redialDelayMs(6))
    assert.ok(Math.min(...delays) < 5_000 && Math.max(...delays) > 10_000)
  })
})
