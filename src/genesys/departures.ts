/**
 * The calls that left, counted by slices of time in a book that outlives the process: the platform's window does not
 * start anew because we did.
 */
import type { Clock } from '../clock.ts'
import type { DialectName } from '../sessions/session.ts'

/** Calls of one OAuth client that were about to leave within one slice of time, at most. */
export interface Departed {
  client: string
  dialect: DialectName
  /** Epoch ms; the slice is `sliceMs` long. */
  from: number
  count: number
}

export interface DepartureBook {
  /** As earlier processes left it, oldest first. */
  earlier: readonly Departed[]
  /**
   * Resolves once the slice's count is durable; rejects when it cannot be, and then nothing may leave. `count` is
   * asked when it is written, after this has returned, so one write serves all who came before that. Slices before
   * `forgetBefore` may go.
   */
  write(slice: Omit<Departed, 'count'>, count: () => number, forgetBefore: number): Promise<void>
}

export const sliceMs = 250

interface Slice {
  from: number
  count: number
  /** On its way, and not yet asked for the count. */
  writing: Promise<void> | undefined
}

/** Notes the departures of one OAuth client. */
export class Departures {
  readonly #client: string
  readonly #book: DepartureBook
  readonly #clock: Clock
  readonly #slices = new Map<DialectName, Slice>()

  constructor(client: string, book: DepartureBook, clock: Clock) {
    this.#client = client
    this.#book = book
    this.#clock = clock
  }

  /** Resolves once it will be remembered, for `keptMs` at least, that one more may have left. */
  note(dialect: DialectName, keptMs: number): Promise<void> {
    const now = this.#clock.now()
    let slice = this.#slices.get(dialect)
    // A clock that is set back must not begin a slice again that has been counted.
    const from = Math.max(now - (now % sliceMs), slice?.from ?? 0)
    if (slice?.from !== from) {
      slice = { from, count: 0, writing: undefined }
      this.#slices.set(dialect, slice)
    }
    slice.count += 1
    slice.writing ??= this.#write(dialect, slice, now - keptMs - sliceMs)
    return slice.writing
  }

  #write(dialect: DialectName, slice: Slice, forgetBefore: number): Promise<void> {
    const { from } = slice
    const count = () => {
      slice.writing = undefined
      return slice.count
    }
    const writing = this.#book
      .write({ client: this.#client, dialect, from }, count, forgetBefore)
      .catch((error: unknown) => {
        // It may have failed before it was asked; nobody after it is to wait for that.
        if (slice.writing === writing) slice.writing = undefined
        throw error
      })
    return writing
  }
}
