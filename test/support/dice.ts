import { createHash } from 'node:crypto'

/** Random choices that the same seed repeats. */
export class Dice {
  readonly #seed: string
  #rolls = 0

  constructor(seed: string) {
    this.#seed = seed
  }

  /** At least 0 and below 1. */
  fraction(): number {
    this.#rolls += 1
    const digest = createHash('sha256').update(`${this.#seed} ${this.#rolls}`).digest()
    return digest.readUInt32BE() / 2 ** 32
  }

  /** From `least` to `most`, both possible. */
  between(least: number, most: number): number {
    return least + Math.floor(this.fraction() * (most - least + 1))
  }

  one<T>(choices: readonly T[]): T {
    const chosen = choices[this.between(0, choices.length - 1)]
    if (chosen === undefined) throw new Error('there is nothing to choose from')
    return chosen
  }
}
