/**
 * The latest of many ids: `limit` of them at least, twice as many at most. Half is forgotten at a time, for a set that
 * loses its oldest with every id it gains has to search for it.
 */
export class RecentIds {
  readonly #limit: number
  #older: ReadonlySet<string> = new Set()
  #newer = new Set<string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  has(id: string): boolean {
    return this.#newer.has(id) || this.#older.has(id)
  }

  /** True when it was not there. */
  add(id: string): boolean {
    if (this.has(id)) return false
    this.#newer.add(id)
    if (this.#newer.size === this.#limit) {
      this.#older = this.#newer
      this.#newer = new Set()
    }
    return true
  }

  /** As they are now. */
  copy(): ReadonlySet<string> {
    return new Set([...this.#older, ...this.#newer])
  }
}
