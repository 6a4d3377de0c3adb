import type { Clock } from '../../clock.ts'

/** How much a client may do in a fixed window that starts with its first deed in it. */
export class Allowance {
  readonly #clock: Clock
  readonly #limit: number
  readonly #windowMs: number
  #endsAt = 0
  #used = 0

  constructor(clock: Clock, limit: number, windowMs: number) {
    this.#clock = clock
    this.#limit = limit
    this.#windowMs = windowMs
  }

  /** Counts one; whether it is within the limit. */
  take(): boolean {
    const now = this.#clock.now()
    if (now >= this.#endsAt) {
      this.#endsAt = now + this.#windowMs
      this.#used = 0
    }
    this.#used += 1
    return this.#used <= this.#limit
  }
}
