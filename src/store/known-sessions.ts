import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Session } from '../sessions/session.ts'

/** What must be known of a session to put a change on top of it. */
export interface Known {
  key: number
  version: number
  sequence: number
  lastOrdinal: number
  /** As it was when its body was last written; undefined when that was not in this process. */
  written: Session | undefined
}

/** The sessions changed of late, so that a commit need not read before it writes. */
export class KnownSessions {
  readonly #find: StatementSync
  readonly #capacity: number
  /** Least recently changed first. */
  readonly #known = new Map<string, Known>()

  constructor(db: DatabaseSync, capacity = 20_000) {
    this.#capacity = capacity
    this.#find = db.prepare(`
      SELECT s.key, p.version, p.sequence, p.last_ordinal AS lastOrdinal
      FROM sessions s JOIN progress p ON p.session_key = s.key WHERE s.id = ?`)
  }

  find(id: string): Known | undefined {
    return this.#known.get(id) ?? (this.#find.get(id) as unknown as Known | undefined)
  }

  keep(id: string, known: Known): void {
    this.#known.delete(id)
    this.#known.set(id, known)
    if (this.#known.size <= this.#capacity) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }

  forget(id: string): void {
    this.#known.delete(id)
  }

  /** After a rollback: what was kept may not be there. */
  forgetAll(): void {
    this.#known.clear()
  }
}
