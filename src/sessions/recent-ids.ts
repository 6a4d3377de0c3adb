/** The latest of many ids: a set that forgets its oldest. */
export class RecentIds {
  readonly #ids: Set<string>
  readonly #limit: number

  constructor(limit: number, ids: Iterable<string> = []) {
    this.#limit = limit
    this.#ids = new Set()
    for (const id of ids) this.add(id)
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** True when it was not there. */
  add(id: string): boolean {
    if (this.#ids.has(id)) return false
    this.#ids.add(id)
    const [oldest] = this.#ids
    if (this.#ids.size > this.#limit && oldest !== undefined) this.#ids.delete(oldest)
    return true
  }

  /** As they are now. */
  copy(): ReadonlySet<string> {
    return new Set(this.#ids)
  }
}
