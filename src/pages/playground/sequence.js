// @ts-check
/** Proves that a stream shows every event once: sequences are counted from 1 without gaps, so a missing one shows. */
export class SequenceCheck {
  #first = 0
  #last = 0
  /** @type {Set<number>} */
  #missing = new Set()
  #repeated = 0

  /** Whether this one is new; one seen before must not be shown twice. @param {number} sequence */
  isNew(sequence) {
    if (sequence <= this.#last && !this.#missing.delete(sequence)) {
      this.#repeated += 1
      return false
    }
    if (this.#first === 0) this.#first = sequence
    for (let skipped = this.#last + 1; skipped < sequence && this.#last > 0; skipped += 1) {
      this.#missing.add(skipped)
    }
    this.#last = Math.max(this.#last, sequence)
    return true
  }

  /** The gateway said that it keeps nothing before `oldest`: that is no gap. @param {number} oldest */
  startAt(oldest) {
    this.#first = oldest
    this.#last = oldest - 1
    this.#missing.clear()
  }

  get isWhole() {
    return this.#missing.size === 0
  }

  /** In words, for people. */
  get verdict() {
    if (this.#last === 0) return 'No events yet'
    const range = this.#first === this.#last ? `${this.#last}` : `${this.#first} to ${this.#last}`
    const gaps = this.isWhole ? 'nothing missing' : `missing ${[...this.#missing].join(', ')}`
    const again = this.#repeated === 0 ? '' : `, ${this.#repeated} came again`
    return `Events ${range}: ${gaps}${again}`
  }
}
