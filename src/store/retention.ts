import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { KnownSessions } from './known-sessions.ts'
import type { DataKind, Places } from './places.ts'
import { type Helping, removeSome } from './removal.ts'
import type { Row } from './rows.ts'

/**
 * Removes sessions that ended long ago, with their events, messages and keyed requests. Their audit entries stay, and
 * the table `audited` says whose they are.
 */
export class Retention {
  readonly #places: Places
  readonly #sessions: KnownSessions
  readonly #oldest: StatementSync
  readonly #removeRows: Record<DataKind, StatementSync[]>
  readonly #removeSession: StatementSync
  readonly #removeProgress: StatementSync
  readonly #noteAudited: StatementSync

  constructor(db: DatabaseSync, places: Places, sessions: KnownSessions) {
    this.#places = places
    this.#sessions = sessions
    this.#oldest = db.prepare(`
      SELECT key, id FROM sessions WHERE ended_at < ? ORDER BY ended_at, key LIMIT 1`)
    const remove = (table: string, position: string) =>
      db.prepare(`DELETE FROM ${table} WHERE ${position} BETWEEN ? AND ?`)
    this.#removeRows = {
      request: [remove('requests', 'position'), remove('answers', 'request_position')],
      // Before the events that tell them.
      message: [remove('deliveries', 'message_position')],
      event: [remove('events', 'position')],
    }
    this.#removeSession = db.prepare('DELETE FROM sessions WHERE key = ?')
    this.#noteAudited = db.prepare(`
      INSERT INTO audited (session_key, session_id, last, ended_at)
      SELECT s.key, s.id, p.audit_position, s.ended_at
      FROM sessions s JOIN progress p ON p.session_key = s.key
      WHERE s.key = ? AND p.audit_position IS NOT NULL`)
    this.#removeProgress = db.prepare('DELETE FROM progress WHERE session_key = ?')
  }

  /** Inside a transaction. A session goes last, after all that is its own, so what a crash leaves is found again. */
  removeSome(before: number, limit: number): Helping {
    const removal = {
      next: () => this.#oldest.get(before),
      removeRows: ({ key }: Row, most: number) => this.#removeRowsOf(Number(key), most),
      done: ({ key, id }: Row) => this.#remove(Number(key), String(id)),
    }
    return removeSome(this.#places, removal, limit)
  }

  #removeRowsOf(key: number, limit: number): number {
    let removed = 0
    for (const [kind, statements] of Object.entries(this.#removeRows)) {
      for (const { from, to } of this.#places.take(kind as DataKind, key, limit - removed)) {
        for (const statement of statements) statement.run(from, to)
        removed += to - from + 1
      }
    }
    return removed
  }

  #remove(key: number, id: string): void {
    this.#noteAudited.run(key)
    this.#removeProgress.run(key)
    this.#removeSession.run(key)
    this.#sessions.forget(id)
  }
}
