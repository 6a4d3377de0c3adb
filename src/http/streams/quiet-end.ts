import type { Clock } from '../../clock.ts'

const quietMs = 1000

/** Whose end it is. */
export interface Ending {
  /** Whether anything can still become of the session's messages. */
  isSettled(): Promise<boolean>
  /** The session is over and everything has been sent. */
  over(): void
  /** It cannot be told whether there is more; who comes back later gets it. */
  cut(reason: 'trouble', error: unknown): void
}

/**
 * Tells once that a session is over, the reader has been given everything, and nothing more can come: after a quiet
 * second, in which what follows the end of a session arrives, and not before the last of its messages is settled.
 */
export class QuietEnd {
  readonly #clock: Clock
  readonly #ending: Ending
  #isOver: boolean
  #cancelled = false
  #cancelWait: (() => void) | undefined

  /** `isOver`: the session is over already. */
  constructor(clock: Clock, isOver: boolean, ending: Ending) {
    this.#clock = clock
    this.#isOver = isOver
    this.#ending = ending
  }

  /** An event came; `isFinal`: it says the session is over. */
  saw(isFinal: boolean): void {
    this.#isOver ||= isFinal
    this.#cancelWait?.()
  }

  /** The reader has everything there is. */
  idle(): void {
    this.#cancelWait?.()
    if (!this.#isOver || this.#cancelled) return
    this.#cancelWait = this.#clock.after(quietMs, () => void this.#endIfSettled())
  }

  cancel(): void {
    this.#cancelled = true
    this.#cancelWait?.()
  }

  async #endIfSettled(): Promise<void> {
    try {
      // What settles the last message is an event, and after it the reader is idle again.
      const settled = await this.#ending.isSettled()
      if (settled && !this.#cancelled) this.#ending.over()
    } catch (error) {
      if (!this.#cancelled) this.#ending.cut('trouble', error)
    }
  }
}
