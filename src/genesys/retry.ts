/** How long to wait before the next attempt. Pure, but for the dice. */
import type { Answer, AnswerHeaders } from './outcome.ts'

export interface Backoff {
  /** Longest first wait. */
  firstMs: number
  /** Longest wait at all. */
  maxMs: number
}

/** Full jitter: anything between nothing and twice as much as the time before. `failures` counts from 1. */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number): number {
  return Math.random() * Math.min(maxMs, firstMs * 2 ** (failures - 1))
}

const dayMs = 24 * 3_600_000

/**
 * `Retry-After`, seconds or HTTP date, as milliseconds from `now`; of a 429 without it the platform's own
 * `inin-ratelimit-reset`, which stands on every answer and only there says how long to wait. undefined when the answer
 * does not say. A date is read against the answer's own `Date`, so clocks may differ.
 */
export function retryAfterMs(
  { status, headers }: Pick<Answer, 'status' | 'headers'>,
  now: number,
): number | undefined {
  const reset = status === 429 ? headerOf(headers, 'inin-ratelimit-reset') : undefined
  const text = headerOf(headers, 'retry-after') ?? reset
  if (text === undefined) return undefined
  const value = text.trim()
  const at = Date.parse(value)
  const ms = /^\d+(?:\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : at - (Date.parse(headerOf(headers, 'date') ?? '') || now)
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), dayMs) : undefined
}

/**
 * Where a 429 does not say how long: about 3, 9, 27 s, as the platform recommends. `refusals` counts from 1. Never
 * much less, because everybody waits for it.
 */
export function unsaidPauseMs(refusals: number): number {
  return 1000 * 3 ** Math.min(refusals, 3) * (0.75 + Math.random() / 4)
}

export function headerOf(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value[0] : value
}
