import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'

const everyMs = 60_000
/** So many at once, so that a sweep never holds up a caller. */
const batch = 200

/** Removes sessions, with all that is theirs, once they have been over for `retentionMs`. */
export class Retention implements Disposable {
  readonly #store: Store
  readonly #clock: Clock
  readonly #retentionMs: number
  readonly #log: {
    info(fields: object, text: string): void
    warn(fields: object, text: string): void
  }
  #cancel: () => void = () => undefined

  constructor(
    store: Store,
    clock: Clock,
    retentionMs: number,
    log: { info(fields: object, text: string): void; warn(fields: object, text: string): void },
  ) {
    this.#store = store
    this.#clock = clock
    this.#retentionMs = retentionMs
    this.#log = log
    this.#schedule(everyMs)
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }

  #schedule(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      void this.#sweep().then((more) => this.#schedule(more ? 100 : everyMs))
    })
  }

  /** True when there may be more. */
  async #sweep(): Promise<boolean> {
    try {
      const removed = await this.#store.removeEndedBefore(
        this.#clock.now() - this.#retentionMs,
        batch,
      )
      if (removed > 0) this.#log.info({ removed }, 'removed sessions past their retention')
      return removed === batch
    } catch (err) {
      this.#log.warn({ err }, 'could not remove sessions past their retention')
      return false
    }
  }
}
