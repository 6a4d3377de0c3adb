// @ts-check
/**
 * What the figures were since this page was opened, an hour at most. The gateway keeps no history, so there is none of
 * before.
 */

/** @typedef {{ at: number, values: (number | null)[] }} Point */

const spanMs = 60 * 60_000
/** A point replaces the one before it until they are this far apart: an hour is 720 points. */
const stepMs = 5000

export class History {
  /** @type {Point[]} */
  #points = []

  /** @param {number} at epoch ms @param {(number | null)[]} values */
  add(at, values) {
    const [before, last] = this.#points.slice(-2)
    if (before && last && last.at - before.at < stepMs) this.#points.pop()
    this.#points.push({ at, values })
    while ((this.#points[0]?.at ?? at) < at - spanMs) this.#points.shift()
  }

  /** Times in seconds, then the values of each line, as uPlot takes them. @param {number} lines */
  columns(lines) {
    const times = this.#points.map(({ at }) => at / 1000)
    const values = Array.from({ length: lines }, (_, line) =>
      this.#points.map((point) => point.values[line] ?? null),
    )
    return /** @type {[number[], ...(number | null)[][]]} */ ([times, ...values])
  }

  /** Lowest and highest value of a line; null without any. @param {number} line @returns {[number, number] | null} */
  range(line) {
    const values = this.#points.flatMap(({ values }) => values[line] ?? [])
    return values.length === 0 ? null : [Math.min(...values), Math.max(...values)]
  }
}
