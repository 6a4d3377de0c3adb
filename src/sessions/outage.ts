import type { Clock } from '../clock.ts'
import type { FrameLimit } from '../genesys/dialect.ts'
import type { StreamEnd } from '../genesys/socket.ts'
import { Pace } from './pace.ts'
import { lossReason, redialDelayMs, steadyAfterMs } from './redial.ts'

/** How long a session has had no stream, and when it may be dialled again. */
export class Outage {
  readonly #clock: Clock
  readonly #openings: Pace | undefined
  #since: number
  #openSince: number | null = null
  #redials = 0
  #reason = 'the gateway was started again'

  /** Begins without a stream. `openings`: how often the platform takes this guest up. */
  constructor(clock: Clock, openings: FrameLimit | undefined) {
    this.#clock = clock
    if (openings) this.#openings = new Pace([openings], 0)
    this.#since = clock.now()
  }

  /** Why the latest one began, in our words. */
  get reason(): string {
    return this.#reason
  }

  get lastsMs(): number {
    return this.#clock.now() - this.#since
  }

  /** Standing in line so long was not the platform's fault. */
  excuse(ms: number): void {
    this.#since += ms
  }

  dialled(): void {
    this.#openings?.sent(this.#clock.now())
  }

  over(): void {
    this.#openSince = this.#clock.now()
  }

  /** A connection has ended: the outage begins with it, or goes on where the stream did not open on it. */
  begin(end: Exclude<StreamEnd, { by: 'us' }>): void {
    if (this.#openSince === null) return
    this.#reason = lossReason(end)
    this.#since = this.#clock.now()
    if (this.#since - this.#openSince >= steadyAfterMs) this.#redials = 0
    this.#openSince = null
  }

  /** How long to wait with the next dial, milliseconds; each time it is asked it grows. */
  nextDialMs(notBeforeMs: number): number {
    const delayMs = notBeforeMs + redialDelayMs(this.#redials)
    this.#redials += 1
    return Math.max(delayMs, this.#openings?.waitMs(this.#clock.now()) ?? 0)
  }
}
