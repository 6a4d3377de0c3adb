/** A frame that has left. */
export interface Departure {
  /** The platform has it by now, epoch ms: from then on it counts against the limits, however long it was on its way. */
  seen(now: number): void
}

/** Keeps frames of one socket within the platform's limits: a least distance, and so many in a window. */
export class Pace {
  readonly #limits: readonly { frames: number; windowMs: number }[]
  readonly #intervalMs: number
  readonly #sent: { leftAt: number; countsFrom: number }[] = []
  readonly #remembered: number
  #notBefore = 0

  constructor(limits: readonly { frames: number; windowMs: number }[], intervalMs: number) {
    this.#limits = limits
    this.#intervalMs = intervalMs
    this.#remembered = Math.max(1, ...limits.map((limit) => limit.frames))
  }

  /** How long a frame must wait at `now`, milliseconds. */
  waitMs(now: number): number {
    const last = this.#sent.at(-1)
    const spaced = last === undefined ? 0 : last.leftAt + this.#intervalMs - now
    const latestFirst = this.#sent.map(({ countsFrom }) => countsFrom).sort((a, b) => b - a)
    const waits = this.#limits.map(({ frames, windowMs }) => {
      const first = latestFirst[frames - 1]
      return first === undefined ? 0 : first + windowMs + 1 - now
    })
    return Math.max(0, spaced, this.#notBefore - now, ...waits)
  }

  /** Counted from now on, until more is known. */
  sent(now: number): Departure {
    const frame = { leftAt: now, countsFrom: now }
    if (this.#limits.length > 0 || this.#intervalMs > 0) this.#sent.push(frame)
    if (this.#sent.length > this.#remembered) this.#sent.shift()
    return {
      seen: (at) => {
        frame.countsFrom = Math.max(frame.countsFrom, at)
      },
    }
  }

  /** The platform said to wait until then, epoch ms. */
  pauseUntil(until: number): void {
    this.#notBefore = Math.max(this.#notBefore, until)
  }
}
