/**
 * Where the rows of each session are: its events, messages, keyed requests and audit entries, by number.
 *
 * An ordinary index on session and number would change one page per session in every commit, and those pages cost as
 * much as the rest of the commit. So the newest places are kept in memory, and the table `places` takes them up two
 * thousand at a time, sorted. Nothing can be lost by that: places say nothing that is not in the rows themselves, so
 * those that the table lacks are read from there. Rows of a session that were written together follow each other, so
 * one entry stands for a run of them.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export type Kind = 'event' | 'message' | 'request' | 'audit'
/** What may hold something of a guest. */
export type DataKind = Exclude<Kind, 'audit'>

/** So many rows, with numbers and positions that follow each other. */
interface Run {
  number: number
  position: number
  count: number
}

/** Positions, both included. */
export interface Range {
  from: number
  to: number
}

/** By kind and session key. */
type Recent = Record<Kind, Map<number, Run[]>>

const settledAt = 2000

export class Places {
  readonly #newestRow: StatementSync
  readonly #settledUpTo: StatementSync
  readonly #unsettled: StatementSync
  readonly #after: StatementSync
  readonly #settle: StatementSync
  readonly #noteSettled: StatementSync
  readonly #first: StatementSync
  readonly #remove: StatementSync
  /** Not yet in the table; undefined until read. */
  #recent: Recent | undefined
  #recentCount = 0
  #last = 0

  constructor(db: DatabaseSync) {
    this.#newestRow = db.prepare(`
      SELECT max(
        coalesce((SELECT max(key) FROM sessions), 0), coalesce((SELECT max(position) FROM events), 0),
        coalesce((SELECT max(position) FROM requests), 0), coalesce((SELECT max(position) FROM audit), 0)
      ) AS position`)
    this.#settledUpTo = db.prepare("SELECT value FROM notes WHERE name = 'places settled'")
    this.#noteSettled = db.prepare("REPLACE INTO notes (name, value) VALUES ('places settled', ?)")
    this.#unsettled = db.prepare(`
      SELECT session_key, 'event' AS kind, sequence AS number, position FROM events
      WHERE position > :settled
      UNION ALL SELECT session_key, 'message', ordinal, position FROM events
      WHERE position > :settled AND ordinal IS NOT NULL
      UNION ALL SELECT session_key, 'request', position, position FROM requests
      WHERE position > :settled AND session_key IS NOT NULL
      UNION ALL SELECT session_key, 'audit', position, position FROM audit
      WHERE position > :settled ORDER BY position`)
    this.#settle = db.prepare(`
      INSERT OR IGNORE INTO places (session_key, kind, number, position, count)
      VALUES (?, ?, ?, ?, ?)`)
    this.#after = db.prepare(`
      SELECT number, position, count FROM places
      WHERE session_key = ?1 AND kind = ?2 AND number >= coalesce((
        SELECT max(number) FROM places WHERE session_key = ?1 AND kind = ?2 AND number <= ?3), 0)
      ORDER BY number LIMIT ?4`)
    this.#first = db.prepare(`
      SELECT number, position, count FROM places
      WHERE session_key = ? AND kind = ? AND position < ? ORDER BY number LIMIT 1`)
    this.#remove = db.prepare(`
      DELETE FROM places WHERE session_key = ? AND kind = ? AND number = ? AND position = ?`)
  }

  /** The number of the next row, of whatever table. */
  next(): number {
    this.#load()
    this.#last += 1
    return this.#last
  }

  add(kind: Kind, sessionKey: number, number: number, position: number): void {
    put(this.#load()[kind], sessionKey, number, position)
    this.#recentCount += 1
  }

  /** The positions of a session's rows with a higher number, in order, `limit` at most. */
  after(kind: Kind, sessionKey: number, number: number, limit: number): number[] {
    const recent = this.#load()[kind].get(sessionKey) ?? []
    // One more, for the first may be over before.
    const settled = this.#after.all(sessionKey, kind, number, limit + 1) as unknown as Run[]
    const positions: number[] = []
    for (const run of [...settled, ...recent]) {
      const first = Math.max(0, number + 1 - run.number)
      const end = Math.min(run.count, first + limit - positions.length)
      for (let at = first; at < end; at += 1) positions.push(run.position + at)
    }
    return positions
  }

  /**
   * Inside a transaction, the table being complete: forgets where a session's first rows are, `limit` at most, those at
   * `before` and beyond not among them. Returns where they were.
   */
  take(kind: Kind, sessionKey: number, limit: number, before = Number.MAX_SAFE_INTEGER): Range[] {
    const taken: Range[] = []
    for (let left = limit; left > 0; ) {
      const run = this.#first.get(sessionKey, kind, before) as unknown as Run | undefined
      if (!run) break
      const { number, position, count } = run
      const rows = Math.min(left, count, before - position)
      this.#remove.run(sessionKey, kind, number, position)
      if (rows < count) {
        this.#settle.run(sessionKey, kind, number + rows, position + rows, count - rows)
      }
      taken.push({ from: position, to: position + rows - 1 })
      left -= rows
    }
    return taken
  }

  /** Inside a transaction: moves what is in memory to the table, once that is worth it. */
  settleIfMany(): void {
    if (this.#recentCount >= settledAt) this.settle()
  }

  /** Inside a transaction: makes the table complete. */
  settle(): void {
    for (const [kind, places] of Object.entries(this.#load())) {
      // In the table's order.
      for (const [sessionKey, runs] of [...places].sort(([a], [b]) => a - b)) {
        for (const { number, position, count } of runs) {
          this.#settle.run(sessionKey, kind, number, position, count)
        }
      }
    }
    this.#noteSettled.run(this.#last)
    this.#recent = nothing()
    this.#recentCount = 0
  }

  /** After a rollback: what was added may not be there. */
  forget(): void {
    this.#recent = undefined
  }

  #load(): Recent {
    if (this.#recent) return this.#recent
    const settled = Number(this.#settledUpTo.get()?.value ?? 0)
    const newest = Number(this.#newestRow.get()?.position)
    const rows = this.#unsettled.all({ settled })
    const recent = nothing()
    for (const { kind, session_key, number, position } of rows) {
      put(recent[kind as Kind], Number(session_key), Number(number), Number(position))
    }
    this.#last = Math.max(this.#last, settled, newest)
    this.#recentCount = rows.length
    this.#recent = recent
    return recent
  }
}

function nothing(): Recent {
  return { event: new Map(), message: new Map(), request: new Map(), audit: new Map() }
}

function put(
  places: Map<number, Run[]>,
  sessionKey: number,
  number: number,
  position: number,
): void {
  const ofSession = places.get(sessionKey)
  const last = ofSession?.at(-1)
  if (last && number === last.number + last.count && position === last.position + last.count) {
    last.count += 1
    return
  }
  const run = { number, position, count: 1 }
  if (ofSession) ofSession.push(run)
  else places.set(sessionKey, [run])
}
