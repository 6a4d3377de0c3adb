/**
 * Counting in a sliding window, refused ones too. Only the newest `limit` arrivals matter, so a ring of that size is
 * all it takes: constant time and memory per arrival.
 */
import type { RateLimit } from './switches/rate-limit.ts'

export interface Reading {
  allowed: boolean
  /** Arrivals in the window, this one included; never more than `limit`. */
  used: number
  limit: number
  windowMs: number
  /** Until the next arrival would be allowed if none came before it; 0 when it would be now. */
  retryAfterMs: number
  /** Until the oldest arrival leaves the window. */
  resetMs: number
}

/** Counts one kind of thing against a limit, which may change: then the count starts anew. */
export class Meter {
  #window: SlidingWindow | undefined

  /** Undefined when there is no limit. */
  count(rateLimit: RateLimit, now: number): Reading | undefined {
    if (rateLimit === 'off') return undefined
    const { limit, windowMs } = rateLimit
    if (this.#window?.limit !== limit || this.#window.windowMs !== windowMs) {
      this.#window = new SlidingWindow(limit, windowMs)
    }
    return this.#window.count(now)
  }

  /** Without counting. */
  used(now: number): number {
    return this.#window?.used(now) ?? 0
  }
}

class SlidingWindow {
  readonly limit: number
  readonly windowMs: number
  readonly #arrivals: Float64Array
  #oldest = 0
  #size = 0

  constructor(limit: number, windowMs: number) {
    this.limit = limit
    this.windowMs = windowMs
    this.#arrivals = new Float64Array(limit)
  }

  count(now: number): Reading {
    const allowed = this.used(now) < this.limit
    if (!allowed) this.#dropOldest()
    this.#arrivals[(this.#oldest + this.#size) % this.limit] = now
    this.#size += 1
    const resetMs = (this.#arrivals[this.#oldest] ?? now) + this.windowMs - now
    return {
      allowed,
      used: this.#size,
      limit: this.limit,
      windowMs: this.windowMs,
      retryAfterMs: this.#size < this.limit ? 0 : resetMs,
      resetMs,
    }
  }

  used(now: number): number {
    while (this.#size > 0 && (this.#arrivals[this.#oldest] ?? 0) <= now - this.windowMs) {
      this.#dropOldest()
    }
    return this.#size
  }

  #dropOldest(): void {
    this.#oldest = (this.#oldest + 1) % this.limit
    this.#size -= 1
  }
}
