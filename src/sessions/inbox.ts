import { type Persistence, untilStored } from './until-stored.ts'

/** Above so many, the connection is not read until half of them are done. */
const full = 200

export interface InboxDeps<T> extends Persistence {
  onTrouble(error: unknown): void
  connection(): { pause(): void; resume(): void } | undefined
  /** Writes items down together, those that are known from an earlier try left out. */
  receive(items: readonly T[]): Promise<void>
}

type Work<T> = { items: T[] } | { run: () => Promise<void> }

/**
 * What arrives on a stream and is to be written down: in its order, and never too many at once. Items that stand
 * together in line are written together, so the more there are the less each costs.
 */
export class Inbox<T> {
  readonly #deps: InboxDeps<T>
  #line: Work<T>[] = []
  #waiting = 0
  #working: Promise<void> | undefined

  constructor(deps: InboxDeps<T>) {
    this.#deps = deps
  }

  /** `run` is begun again where the store has trouble. */
  add(run: () => Promise<void>): void {
    this.#line.push({ run })
    this.#added(1)
  }

  put(items: readonly T[]): void {
    const last = this.#line.at(-1)
    if (last && 'items' in last) last.items.push(...items)
    else this.#line.push({ items: [...items] })
    this.#added(items.length)
  }

  /** Resolves when all that is in it now is done. */
  async done(): Promise<void> {
    await this.#working
  }

  #added(count: number): void {
    const before = this.#waiting
    this.#waiting += count
    if (before < full && this.#waiting >= full) this.#deps.connection()?.pause()
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    for (let work = this.#line.shift(); work; work = this.#line.shift()) {
      await this.#do(work)
      const before = this.#waiting
      this.#waiting -= 'items' in work ? work.items.length : 1
      if (before >= full / 2 && this.#waiting < full / 2) this.#deps.connection()?.resume()
    }
    this.#working = undefined
  }

  async #do(work: Work<T>): Promise<void> {
    const deps = this.#deps
    const isTogether = 'items' in work && work.items.length > 1
    try {
      await untilStored(deps, 'items' in work ? () => deps.receive(work.items) : work.run)
    } catch (error) {
      // One that cannot be written must not take those with it that happened to stand beside it.
      if (!isTogether || deps.isStopped()) return deps.onTrouble(error)
      for (const item of work.items) await this.#do({ items: [item] })
    }
  }
}
