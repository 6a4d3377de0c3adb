import { type Persistence, untilStored } from './until-stored.ts'

/** Above so many, the connection is not read until half of them are done. */
const full = 200

/** What arrives on a stream and is to be written down: one after the other, and never too many at once. */
export class Inbox {
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  readonly #persistence: Persistence
  readonly #connection: () => { pause(): void; resume(): void } | undefined

  constructor(
    persistence: Persistence,
    connection: () => { pause(): void; resume(): void } | undefined,
  ) {
    this.#persistence = persistence
    this.#connection = connection
  }

  /** `run` is begun again where the store has trouble. */
  add(run: () => Promise<void>): void {
    this.#waiting += 1
    if (this.#waiting === full) this.#connection()?.pause()
    this.#last = this.#last
      .then(() => untilStored(this.#persistence, run))
      .catch((error: unknown) => this.#persistence.onTrouble(error))
      .finally(() => {
        this.#waiting -= 1
        if (this.#waiting === full / 2) this.#connection()?.resume()
      })
  }

  /** Resolves when all that is in it now is done. */
  done(): Promise<void> {
    return this.#last
  }
}
