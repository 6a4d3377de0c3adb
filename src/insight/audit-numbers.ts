/** Which of the numbers from 1 on are accounted for: a bit for each. */
export class AuditNumbers {
  #bits = new Uint8Array(1024)

  add(number: number): void {
    this.#reserve(number)
    const at = number >> 3
    this.#bits[at] = (this.#bits[at] ?? 0) | (1 << (number & 7))
  }

  /** `1-3,7`, as tombstones name what was removed: numbers below their own. */
  addRanges(ranges: string, below: number): void {
    for (const [first, last] of parsed(ranges)) {
      for (let number = first; number <= last && number < below; number += 1) this.add(number)
    }
  }

  has(number: number): boolean {
    return ((this.#bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  /** The lowest number that is not accounted for, from 1 to `upTo`. */
  firstMissing(upTo: number): number | undefined {
    for (let number = 1; number <= upTo; number += 1) if (!this.has(number)) return number
    return undefined
  }

  #reserve(number: number): void {
    if (number >> 3 < this.#bits.length) return
    const bits = new Uint8Array(Math.max(2 * this.#bits.length, (number >> 3) + 1))
    bits.set(this.#bits)
    this.#bits = bits
  }
}

/** Whether such ranges name a number between the two, which are none themselves. */
export function isAnyBetween(after: number, below: number, ranges: string): boolean {
  return parsed(ranges).some(([first, last]) => last > after && first < below)
}

function parsed(ranges: string): [first: number, last: number][] {
  return ranges.split(',').map((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return [first, last]
  })
}
