// @ts-check
/** Reads the figures again and again: soon after events, never twice within a second, and at least every 5 seconds. */

/** @import { Api } from '../shared/api.js' */
/** @import { Reading } from './types.d.ts' */

const leastMs = 1000
const mostMs = 5000

export class Readings {
  #api
  #onReading
  #onProblem
  #timer = 0
  #startedAt = 0
  #isReading = false
  #isStale = false

  /**
   * @param {Api} api
   * @param {(reading: Reading) => void} onReading
   * @param {(problem: unknown) => void} onProblem
   */
  constructor(api, onReading, onProblem) {
    this.#api = api
    this.#onReading = onReading
    this.#onProblem = onProblem
  }

  /** Something happened: the figures are no longer right. The first call starts it all. */
  touch() {
    if (this.#isReading) this.#isStale = true
    else this.#schedule(this.#startedAt + leastMs - Date.now())
  }

  /** @param {number} ms */
  #schedule(ms) {
    clearTimeout(this.#timer)
    this.#timer = window.setTimeout(() => void this.#read(), Math.max(0, ms))
  }

  async #read() {
    this.#isReading = true
    this.#isStale = false
    this.#startedAt = Date.now()
    try {
      this.#onReading(await read(this.#api))
    } catch (error) {
      this.#onProblem(error)
    }
    this.#isReading = false
    this.#schedule(this.#startedAt + (this.#isStale ? leastMs : mostMs) - Date.now())
  }
}

/** @param {Api} api @returns {Promise<Reading>} */
async function read(api) {
  const stats = await api.get('/v1/stats?include=lastHour')
  return { at: Date.now(), stats }
}
