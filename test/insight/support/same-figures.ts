import assert from 'node:assert/strict'
import { type CountedEvent, happenings, recount, recountHour } from './recount.ts'

type Percentiles = Record<string, number | null>

/** Fails where an answer of `/v1/stats?include=lastHour` differs from the recount. `now` in epoch ms. */
export function assertSameFigures(
  // biome-ignore lint/suspicious/noExplicitAny: checked field by field
  stats: any,
  events: readonly CountedEvent[],
  now: number,
): void {
  const { byDialect, latencyMs, ...expected } = recount(events, now)
  const { sessionsByDialect, latencyMs: found, quota, streams, webhooks, lastHour, ...same } = stats
  assert.deepEqual(rounded(same), rounded(expected))
  for (const { dialect, ...counts } of sessionsByDialect) {
    assert.deepEqual(counts, byDialect(dialect), dialect)
  }
  for (const [step, percentiles] of Object.entries(latencyMs)) {
    assertClose(step, found[step], percentiles)
  }
  assert.deepEqual(happenings(lastHour), recountHour(events, now))
}

/** The histogram keeps two digits. */
function assertClose(step: string, found: Percentiles, exact: Percentiles): void {
  for (const [name, ms] of Object.entries(exact)) {
    const is = found[name] ?? null
    const isClose =
      ms === null ? is === null : is !== null && Math.abs(is - ms) <= Math.max(1, ms / 100)
    assert.ok(isClose, `${step} ${name} is ${is}, and ${ms} counted exactly`)
  }
}

/** Sums of fractions depend on the order of their parts. */
function rounded(figures: object): unknown {
  return JSON.parse(JSON.stringify(figures), (_key, value) =>
    typeof value === 'number' ? Number(value.toFixed(9)) : value,
  )
}
