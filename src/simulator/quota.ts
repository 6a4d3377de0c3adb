/**
 * Requests per OAuth client in a sliding window, refused ones counted too. Only the newest `limit` arrivals of a
 * client matter, so a ring of that size is all it takes: constant time and memory per request.
 */
import type { RateLimit } from './options.ts'

export interface Reading {
  allowed: boolean
  /** Arrivals in the window, this one included; never more than `limit`. */
  used: number
  limit: number
  windowMs: number
  /** Until the next request would be allowed if none came before it; 0 when it would be now. */
  retryAfterMs: number
  /** Until the oldest arrival leaves the window. */
  resetMs: number
}

export class Quotas {
  readonly #windows = new Map<string, Window>()

  /** Counts one request; undefined when there is no limit. */
  count(clientId: string, rateLimit: RateLimit, now: number): Reading | undefined {
    if (rateLimit === 'off') return undefined
    let window = this.#windows.get(clientId)
    if (window?.limit !== rateLimit.limit || window.windowMs !== rateLimit.windowMs) {
      window = new Window(rateLimit.limit, rateLimit.windowMs)
      this.#windows.set(clientId, window)
    }
    return window.count(now)
  }

  /** How much of its window a client has used, without counting. */
  used(clientId: string, now: number): number {
    return this.#windows.get(clientId)?.used(now) ?? 0
  }
}

class Window {
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
