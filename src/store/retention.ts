import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { KnownSessions } from './known-sessions.ts'
import type { Kind, Places } from './places.ts'

/** Rows removed in one transaction, so that nobody waits long for theirs. */
const rowsAtOnce = 300

/** Removes sessions that ended long ago, with their events, messages and keyed requests. */
export class Retention {
  readonly #places: Places
  readonly #sessions: KnownSessions
  readonly #oldest: StatementSync
  readonly #placesOf: StatementSync
  readonly #removePlace: StatementSync
  readonly #removeRows: Record<Kind, StatementSync[]>
  readonly #removeSession: StatementSync
  readonly #removeProgress: StatementSync

  constructor(db: DatabaseSync, places: Places, sessions: KnownSessions) {
    this.#places = places
    this.#sessions = sessions
    this.#oldest = db.prepare(`
      SELECT key, id FROM sessions WHERE ended_at < ? ORDER BY ended_at, key LIMIT 1`)
    this.#placesOf = db.prepare(`
      SELECT kind, number, position FROM places WHERE session_key = ? LIMIT ?`)
    this.#removePlace = db.prepare(`
      DELETE FROM places WHERE session_key = ? AND kind = ? AND number = ? AND position = ?`)
    const remove = (table: string, position: string) =>
      db.prepare(`DELETE FROM ${table} WHERE ${position} = ?`)
    this.#removeRows = {
      event: [remove('events', 'position')],
      message: [remove('messages', 'position'), remove('deliveries', 'message_position')],
      request: [remove('requests', 'position'), remove('answers', 'request_position')],
    }
    this.#removeSession = db.prepare('DELETE FROM sessions WHERE key = ?')
    this.#removeProgress = db.prepare('DELETE FROM progress WHERE session_key = ?')
  }

  /**
   * Inside a transaction: one bounded helping of the work. A session goes last, after all that is its own, so what a
   * crash leaves behind is found again. Returns how many sessions are gone and whether there may be more to do.
   */
  removeSome(before: number, limit: number): { removed: number; more: boolean } {
    let removed = 0
    for (let rows = 0; rows < rowsAtOnce; ) {
      const session = removed < limit ? this.#oldest.get(before) : undefined
      if (!session) return { removed, more: false }
      if (rows === 0) this.#places.settle()
      const key = Number(session.key)
      const places = this.#placesOf.all(key, rowsAtOnce - rows)
      for (const { kind, number, position } of places) {
        for (const remove of this.#removeRows[kind as Kind]) remove.run(position ?? null)
        this.#removePlace.run(key, kind ?? null, number ?? null, position ?? null)
      }
      rows += places.length + 1
      if (rows > rowsAtOnce) break
      this.#removeProgress.run(key)
      this.#removeSession.run(key)
      this.#sessions.forget(String(session.id))
      removed += 1
    }
    return { removed, more: true }
  }
}
