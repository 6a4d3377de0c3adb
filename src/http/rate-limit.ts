import { GatewayError } from '../errors.ts'
import type { RateLimit } from '../settings.ts'

export interface Budget {
  /** `RateLimit-Policy` and `RateLimit` fields (IETF draft-ietf-httpapi-ratelimit-headers-11). */
  policy: string
  remaining: string
}

interface Window {
  endsAt: number
  used: number
}

/** Our own limit per API key: a fixed window that starts with a key's first request in it. */
export class ApiRateLimiter {
  readonly #limit: RateLimit
  readonly #windows = new Map<string, Window>()

  constructor(limit: RateLimit) {
    this.#limit = limit
  }

  /** Counts a request and says what is left; undefined when nothing is counted. Throws `rate-limited`. */
  count(key: string, now: number): Budget | undefined {
    if (this.#limit === 'off') return undefined
    const { limit, windowMs } = this.#limit
    let window = this.#windows.get(key)
    if (!window || window.endsAt <= now) {
      window = { endsAt: now + windowMs, used: 0 }
      this.#windows.set(key, window)
    }
    window.used += 1
    return {
      policy: `"default";q=${limit};w=${Math.ceil(windowMs / 1000)}`,
      remaining: `"default";r=${Math.max(0, limit - window.used)};t=${Math.ceil((window.endsAt - now) / 1000)}`,
    }
  }

  /** Throws `rate-limited` when the last `count` went over. */
  check(key: string, now: number): void {
    const window = this.#windows.get(key)
    if (this.#limit === 'off' || !window || window.used <= this.#limit.limit) return
    const { limit, windowMs } = this.#limit
    throw new GatewayError(
      'rate-limited',
      `This API key may make ${limit} requests in ${windowMs / 1000} s`,
      {
        retryable: true,
        retryAfterMs: window.endsAt - now,
      },
    )
  }
}
