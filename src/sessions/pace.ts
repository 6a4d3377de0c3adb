/** Keeps frames of one socket within the platform's limits: a least distance, and so many in a window. */
export class Pace {
  readonly #limits: readonly { frames: number; windowMs: number }[]
  readonly #intervalMs: number
  readonly #sent: number[] = []
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
    const waits = this.#limits.map(({ frames, windowMs }) => {
      const first = this.#sent.at(-frames)
      return first === undefined ? 0 : first + windowMs + 1 - now
    })
    const spaced = last === undefined ? 0 : last + this.#intervalMs - now
    return Math.max(0, spaced, this.#notBefore - now, ...waits)
  }

  sent(now: number): void {
    this.#sent.push(now)
    if (this.#sent.length > this.#remembered) this.#sent.shift()
  }

  /** The platform said to wait until then, epoch ms. */
  pauseUntil(until: number): void {
    this.#notBefore = Math.max(this.#notBefore, until)
  }
}
