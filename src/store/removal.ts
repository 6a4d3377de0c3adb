/** What is past its retention goes a bounded helping at a time, session by session. */
import type { Places } from './places.ts'

/** Rows removed in one transaction, so that nobody waits long for theirs. */
const rowsAtOnce = 300

export interface Removal<Expired> {
  /** The session whose rows go next; the same until it is done. */
  next(): Expired | undefined
  /** Removes so many of its rows at most, by the table of places. Returns how many. */
  removeRows(expired: Expired, limit: number): number
  /** They are all gone. */
  done(expired: Expired): void
}

export interface Helping {
  /** Sessions that are done. */
  removed: number
  /** There may be more to do. */
  more: boolean
}

/** Inside a transaction: one helping, `limit` sessions at most. */
export function removeSome<Expired>(
  places: Places,
  { next, removeRows, done }: Removal<Expired>,
  limit: number,
): Helping {
  let removed = 0
  for (let rows = 0; rows < rowsAtOnce; ) {
    const expired = removed < limit ? next() : undefined
    if (expired === undefined) return { removed, more: false }
    if (rows === 0) places.settle()
    rows += removeRows(expired, rowsAtOnce - rows) + 1
    if (rows > rowsAtOnce) break
    done(expired)
    removed += 1
  }
  return { removed, more: true }
}
