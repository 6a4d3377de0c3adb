/** All open links, for the control to look at and interfere with. */
import { isOperation } from '../received.ts'
import type { Link } from './link.ts'

/** Which links are meant; what is absent does not matter. */
export interface LinkFilter {
  id?: string | undefined
  /** `surface.name`, or a whole surface. */
  operation?: string | undefined
  /** A guest's or session's id. */
  subject?: string | undefined
}

export class Links {
  readonly #open = new Set<Link>()
  readonly #waiters = new Set<() => void>()
  #numbered = 0

  nextId(): string {
    this.#numbered += 1
    return `socket-${this.#numbered}`
  }

  add(link: Link): void {
    this.#open.add(link)
    this.#changed()
  }

  remove(link: Link): void {
    this.#open.delete(link)
    this.#changed()
  }

  /** Oldest first. */
  list({ id, operation, subject }: LinkFilter = {}): Link[] {
    return [...this.#open].filter(
      ({ origin, subject: whose }) =>
        (id === undefined || origin.id === id) &&
        (operation === undefined || isOperation(origin.operation, operation)) &&
        (subject === undefined || whose === subject),
    )
  }

  /** Resolves when so many links that the filter means are open, now or later. */
  async settled(count: number, filter?: LinkFilter): Promise<void> {
    while (this.list(filter).length !== count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiters.add(resolve)
      await promise
    }
  }

  #changed(): void {
    const waiting = [...this.#waiters]
    this.#waiters.clear()
    for (const resolve of waiting) resolve()
  }
}
