import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Session } from '../sessions/session.ts'

/** What must be known of a session to put a change on top of it. */
export interface Known {
  key: number
  version: number
  sequence: number
  /** Of its last audit entry; null when it has none. */
  auditPosition: number | null
  /** Of the same; undefined when it was not written in this process. */
  auditHash: string | undefined
  isErased: boolean
  /** A state that has the body which is in the database; undefined when that was not written in this process. */
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
      SELECT s.key, p.version, p.sequence, p.audit_position, s.erased_at
      FROM sessions s JOIN progress p ON p.session_key = s.key WHERE s.id = ?`)
  }

  find(id: string): Known | undefined {
    return this.#known.get(id) ?? this.#stored(id)
  }

  keep(id: string, known: Known): void {
    // Who was changed last only matters once somebody may have to go.
    if (this.#known.size > this.#capacity / 2) this.#known.delete(id)
    this.#known.set(id, known)
    if (this.#known.size <= this.#capacity) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }

  forget(id: string): void {
    this.#known.delete(id)
  }

  #stored(id: string): Known | undefined {
    const row = this.#find.get(id)
    return (
      row && {
        key: Number(row.key),
        version: Number(row.version),
        sequence: Number(row.sequence),
        auditPosition: row.audit_position === null ? null : Number(row.audit_position),
        auditHash: undefined,
        isErased: row.erased_at !== null,
        written: undefined,
      }
    )
  }

  /** After a rollback: what was kept may not be there. */
  forgetAll(): void {
    this.#known.clear()
  }
}
