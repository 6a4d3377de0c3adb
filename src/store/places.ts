/**
 * Where the rows of each session are: its events, messages, keyed requests and audit entries, by number.
 *
 * An ordinary index on session and number would change one page per session in every commit, and those pages cost as
 * much as the rest of the commit. So the newest places are kept in memory, and the table `places` takes them up two
 * thousand at a time, sorted. Nothing can be lost by that: places say nothing that is not in the rows themselves, so
 * those that the table lacks are read from there.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'

export type Kind = 'event' | 'message' | 'request' | 'audit'
/** What may hold something of a guest. */
export type DataKind = Exclude<Kind, 'audit'>

interface Place {
  number: number
  position: number
}

/** By kind and session key. */
type Recent = Record<Kind, Map<number, Place[]>>

const settledAt = 2000

export class Places {
  readonly #newestRow: StatementSync
  readonly #settledUpTo: StatementSync
  readonly #unsettled: StatementSync
  readonly #after: StatementSync
  readonly #settle: StatementSync
  readonly #noteSettled: StatementSync
  /** Not yet in the table; undefined until read. */
  #recent: Recent | undefined
  #recentCount = 0
  #settled = 0
  #last = 0

  constructor(db: DatabaseSync) {
    this.#newestRow = db.prepare(`
      SELECT max(
        coalesce((SELECT max(key) FROM sessions), 0), coalesce((SELECT max(position) FROM events), 0),
        coalesce((SELECT max(position) FROM requests), 0), coalesce((SELECT max(position) FROM audit), 0)
      ) AS position`)
    this.#settledUpTo = db.prepare("SELECT value FROM notes WHERE name = 'places settled'")
    this.#noteSettled = db.prepare("REPLACE INTO notes (name, value) VALUES ('places settled', ?)")
    const unsettled = `
      SELECT session_key, 'event' AS kind, sequence AS number, position FROM events
      WHERE position > :settled
      UNION ALL SELECT session_key, 'message', ordinal, position FROM events
      WHERE position > :settled AND ordinal IS NOT NULL
      UNION ALL SELECT session_key, 'request', position, position FROM requests
      WHERE position > :settled AND session_key IS NOT NULL
      UNION ALL SELECT session_key, 'audit', position, position FROM audit
      WHERE position > :settled`
    this.#unsettled = db.prepare(`${unsettled} ORDER BY position`)
    this.#settle = db.prepare(
      `INSERT OR IGNORE INTO places (session_key, kind, number, position) ${unsettled} ORDER BY 1, 2, 3`,
    )
    this.#after = db.prepare(`
      SELECT number, position FROM places
      WHERE session_key = ? AND kind = ? AND number > ? ORDER BY number LIMIT ?`)
  }

  /** The number of the next row, of whatever table. */
  next(): number {
    this.#load()
    this.#last += 1
    return this.#last
  }

  add(kind: Kind, sessionKey: number, number: number, position: number): void {
    put(this.#load()[kind], sessionKey, { number, position })
    this.#recentCount += 1
  }

  /** The positions of a session's rows with a higher number, in order, `limit` at most. */
  after(kind: Kind, sessionKey: number, number: number, limit: number): number[] {
    const recent = this.#load()[kind].get(sessionKey) ?? []
    const settled = this.#after.all(sessionKey, kind, number, limit) as unknown as Place[]
    const missing = limit - settled.length
    const newer = missing > 0 ? recent.filter((place) => place.number > number) : []
    return [...settled, ...newer.slice(0, missing)].map((place) => place.position)
  }

  /** Inside a transaction: moves what is in memory to the table, once that is worth it. */
  settleIfMany(): void {
    if (this.#recentCount >= settledAt) this.settle()
  }

  /** Inside a transaction: makes the table complete. */
  settle(): void {
    this.#load()
    this.#settle.run({ settled: this.#settled })
    this.#noteSettled.run(this.#last)
    this.#settled = this.#last
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
      const place = { number: Number(number), position: Number(position) }
      put(recent[kind as Kind], Number(session_key), place)
    }
    this.#settled = settled
    this.#last = Math.max(this.#last, settled, newest)
    this.#recentCount = rows.length
    this.#recent = recent
    return recent
  }
}

function nothing(): Recent {
  return { event: new Map(), message: new Map(), request: new Map(), audit: new Map() }
}

function put(places: Map<number, Place[]>, sessionKey: number, place: Place): void {
  const ofSession = places.get(sessionKey)
  if (ofSession) ofSession.push(place)
  else places.set(sessionKey, [place])
}
