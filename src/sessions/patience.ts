import type { Clock } from '../clock.ts'
import type { GatewayError } from '../errors.ts'
import { NoStream } from './frame-outcomes.ts'

/** How long an accepted message is tried while the platform answers with faults. Routing and quota do not count. */
const outagePatienceMs = 10 * 60_000

/** How long one message may take. */
export class Patience {
  readonly #clock: Clock
  readonly #attemptMs: number
  #deadline: number
  /** The guest was active when it was its turn: from then on only the platform's time counts. */
  #hasBegun = false
  /** Epoch ms since when the platform has answered with faults; null while it does not. */
  #faultySince: number | null = null

  /** `attemptMs` is what it may take from its turn on, with the client's own retries; `deadline` is epoch ms. */
  constructor(clock: Clock, attemptMs: number, deadline: number) {
    this.#clock = clock
    this.#attemptMs = attemptMs
    this.#deadline = deadline
  }

  /** Epoch ms; Infinity once nobody waits for the answer. */
  get deadline(): number {
    return this.#deadline
  }

  /** Of an attempt that is made now, epoch ms. */
  get attemptDeadline(): number {
    return this.#deadline === Infinity ? this.#clock.now() + this.#attemptMs : this.#deadline
  }

  /** Nobody waits for the answer any more: as long as the session lives. */
  forget(): void {
    this.#deadline = Infinity
  }

  /** It is its turn, and its guest is active. */
  begin(): void {
    if (this.#hasBegun) return
    this.#hasBegun = true
    this.#deadline = Math.max(this.#deadline, this.#clock.now() + this.#attemptMs)
  }

  /** The platform answers without fault. */
  renew(): void {
    this.#faultySince = null
  }

  /** Whether to try again after `error`. */
  outlasts(error: GatewayError): boolean {
    if (error.code === 'overloaded') return true
    if (this.#deadline !== Infinity || !error.retryable) return false
    if (error.code === 'rate-limited' || error instanceof NoStream) return true
    const now = this.#clock.now()
    this.#faultySince ??= now
    return now - this.#faultySince < outagePatienceMs
  }
}
