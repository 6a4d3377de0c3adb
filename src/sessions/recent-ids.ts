const none: ReadonlySet<string> = new Set()

/**
 * The latest of many ids: `limit` of them at least, twice as many at most. Half is forgotten at a time, for a set that
 * loses its oldest with every id it gains has to search for it.
 */
export class RecentIds {
  readonly #limit: number
  #older = none
  /** There are many of these that never hold an id, and an empty set is not small. */
  #newer: Set<string> | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  has(id: string): boolean {
    return this.#newer?.has(id) || this.#older.has(id)
  }

  /** True when it was not there. */
  add(id: string): boolean {
    if (this.has(id)) return false
    this.#newer ??= new Set()
    this.#newer.add(id)
    if (this.#newer.size === this.#limit) {
      this.#older = this.#newer
      this.#newer = undefined
    }
    return true
  }

  /** As they are now. */
  copy(): ReadonlySet<string> {
    return new Set([...this.#older, ...(this.#newer ?? none)])
  }
}
