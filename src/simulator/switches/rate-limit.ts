/** How a rate limit is written: requests in any window, or `off`. */
import { z } from 'zod'

export const RateLimit = z.union([
  z.strictObject({ limit: z.int().positive(), windowMs: z.number().positive() }),
  z.literal('off'),
])
export type RateLimit = z.infer<typeof RateLimit>

/** `100/60s`, `100/1s`, `5/500ms` or `off`. Throws on anything else. */
export function parseRateLimit(text: string): RateLimit {
  if (text === 'off') return 'off'
  const match = /^(\d+)\/(\d+)(ms|s|m)$/.exec(text.trim())
  if (!match) throw new Error(`a rate limit looks like 100/60s or off, not ${text}`)
  const unitMs = { ms: 1, s: 1_000, m: 60_000 }[match[3] as 'ms' | 's' | 'm']
  return RateLimit.parse({ limit: Number(match[1]), windowMs: Number(match[2]) * unitMs })
}
