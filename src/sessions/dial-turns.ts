import type { Clock } from '../clock.ts'
import { Pace } from './pace.ts'

/** Lets the sessions of one dialect dial one after the other, no more often than its platform takes new connections. */
export class DialTurns {
  readonly #clock: Clock
  readonly #pace: Pace
  #line: Promise<void> = Promise.resolve()

  /** Without a limit it is everybody's turn at once. */
  constructor(clock: Clock, limit: { dials: number; windowMs: number } | undefined) {
    this.#clock = clock
    const limits = limit ? [{ frames: limit.dials, windowMs: limit.windowMs }] : []
    this.#pace = new Pace(limits, 0)
  }

  /** Resolves when it is their turn, with how long they waited, milliseconds. Those not wanted any more take none. */
  next(isWanted: () => boolean): Promise<number> {
    const askedAt = this.#clock.now()
    const turn = this.#line.then(() => this.#turn(isWanted))
    this.#line = turn
    return turn.then(() => this.#clock.now() - askedAt)
  }

  async #turn(isWanted: () => boolean): Promise<void> {
    while (isWanted()) {
      const waitMs = this.#pace.waitMs(this.#clock.now())
      if (waitMs === 0) {
        this.#pace.sent(this.#clock.now())
        return
      }
      await this.#clock.sleep(waitMs)
    }
  }
}
