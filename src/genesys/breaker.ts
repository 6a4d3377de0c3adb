/**
 * Stops calling a host that is down. Opens when most calls of the last ten seconds failed, and there were enough of
 * them to judge by; then one call probes, after two seconds at first and thirty at most. Only an outage counts:
 * no connection, a broken one, no answer in time, 5xx. A platform that says no (4xx, 429) is well.
 */
import {
  type CircuitBreakerPolicy,
  CircuitState,
  circuitBreaker,
  handleWhenResult,
  type IBackoff,
  isBrokenCircuitError,
  SamplingBreaker,
} from 'cockatiel'
import type { Outcome } from './outcome.ts'

export interface BreakerOptions {
  /** Share of failed calls above which it opens. Default 0.75. */
  threshold?: number
  /** Over how long. Default 10 s. */
  windowMs?: number
  /** Fewer calls than this in the window never open it. Default 10. */
  leastCalls?: number
  /** Default 2 s, doubling with every failed probe. */
  firstBreakMs?: number
  /** Default 30 s. */
  longestBreakMs?: number
  onChange?: (state: BreakerState) => void
}

export type BreakerState = 'closed' | 'open' | 'half-open'

/** While a probe is out nobody knows how long it takes. */
const probePatienceMs = 250

export class Breaker {
  readonly #policy: CircuitBreakerPolicy
  #opensAgainAt = 0
  #probing = false

  constructor(options: BreakerOptions = {}) {
    const { threshold = 0.75, windowMs = 10_000, leastCalls = 10 } = options
    const { firstBreakMs = 2_000, longestBreakMs = 30_000 } = options
    const breakOf = (ms: number): IBackoff<unknown> => {
      const duration = Math.min(ms, longestBreakMs)
      this.#opensAgainAt = Date.now() + duration
      return { duration, next: () => breakOf(duration * 2) }
    }
    this.#policy = circuitBreaker(
      handleWhenResult((outcome) => isOutage(outcome as Outcome)),
      {
        breaker: new SamplingBreaker({
          threshold,
          duration: windowMs,
          minimumRps: (leastCalls * 1000) / windowMs,
        }),
        halfOpenAfter: { next: () => breakOf(firstBreakMs) },
      },
    )
    this.#policy.onStateChange(() => options.onChange?.(this.state))
  }

  get state(): BreakerState {
    if (this.#policy.state === CircuitState.Closed) return 'closed'
    return this.#policy.state === CircuitState.HalfOpen ? 'half-open' : 'open'
  }

  /** How long until a call is worth trying, milliseconds; 0 is now. */
  blockedForMs(): number {
    if (this.#policy.state === CircuitState.Closed) return 0
    if (this.#probing) return probePatienceMs
    return Math.max(0, this.#opensAgainAt - Date.now())
  }

  /** Makes the attempt and learns from it; while open, says so without making it. */
  async run(attempt: () => Promise<Outcome>): Promise<Outcome> {
    if (this.#policy.state === CircuitState.Closed) return this.#policy.execute(attempt)
    if (this.#probing) return circuitOpen()
    this.#probing = true
    try {
      return await this.#policy.execute(attempt)
    } catch (error) {
      if (isBrokenCircuitError(error)) return circuitOpen(error)
      throw error
    } finally {
      this.#probing = false
    }
  }
}

/** What a call meets that was not made. */
export function circuitOpen(cause = new Error('circuit open')): Outcome {
  return { kind: 'fault', fault: 'circuit-open', fate: 'refused', cause, latencyMs: 0 }
}

function isOutage(outcome: Outcome): boolean {
  if (outcome.kind === 'answer') return outcome.status >= 500
  const { fault } = outcome
  return fault === 'connect' || fault === 'reset' || fault === 'timeout' || fault === 'protocol'
}
