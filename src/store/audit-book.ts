/** Writes audit entries, inside a transaction: numbered through, and each with the hash of the one it follows. */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type AuditNote, entryText, hashOf } from '../sessions/audit-entry.ts'
import type { Places } from './places.ts'
import type { SecretBox } from './secrets.ts'

/** Where a session's entries have come to. */
export interface LastEntry {
  /** Null when there is none. */
  auditPosition: number | null
  /** Undefined when it has to be read. */
  auditHash: string | undefined
}

const headName = 'audit head'
const markBytes = 16

export class AuditBook {
  readonly #places: Places
  readonly #key: KeyObject
  readonly #insert: StatementSync
  readonly #hashAt: StatementSync
  readonly #readHead: StatementSync
  readonly #writeHead: StatementSync
  readonly #newest: StatementSync
  /** A row, when there are entries or something that had some. */
  readonly #anyTrace: StatementSync
  /** Number of the newest entry; undefined until read. */
  #number: number | undefined
  /** It is not written down yet. */
  #isAhead = false
  /** The note of it was tampered with: one that is good would hide that. */
  #isForged = false

  constructor(db: DatabaseSync, box: SecretBox, places: Places) {
    this.#places = places
    this.#key = createSecretKey(box.derive('audit marks'))
    this.#insert = db.prepare(`
      INSERT INTO audit (position, number, session_key, action, at, actor, details, follows, previous, hash, mark)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#hashAt = db.prepare('SELECT hash FROM audit WHERE position = ?')
    this.#readHead = db.prepare(`SELECT value FROM notes WHERE name = '${headName}'`)
    this.#writeHead = db.prepare(`REPLACE INTO notes (name, value) VALUES ('${headName}', ?)`)
    this.#anyTrace = db.prepare(`
      SELECT 1 FROM (SELECT 1 FROM audit LIMIT 1)
      UNION ALL SELECT 1 FROM (SELECT 1 FROM audited LIMIT 1)
      UNION ALL SELECT 1 FROM (SELECT 1 FROM progress WHERE audit_position IS NOT NULL LIMIT 1)`)
    // One that somebody wrote may be too high for any to come after it.
    this.#newest = db.prepare(`
      SELECT number FROM audit WHERE number < 2147483648 ORDER BY position DESC LIMIT 1`)
  }

  /** Returns the session's last entry from now on. */
  write(
    sessionKey: number,
    sessionId: string,
    notes: readonly AuditNote[],
    last: LastEntry = { auditPosition: null, auditHash: undefined },
  ): LastEntry {
    let { auditPosition: follows, auditHash } = last
    let previousHash =
      follows === null || notes.length === 0 ? null : (auditHash ?? this.#hash(follows))
    for (const note of notes) {
      const position = this.#places.next()
      const number = this.#next()
      const details = JSON.stringify(note.details)
      auditHash = hashOf(entryText({ ...note, number, sessionId, previousHash }))
      this.#insert.run(
        position,
        number,
        sessionKey,
        note.action,
        note.at,
        note.actor,
        details,
        follows,
        previousHash === null ? null : Buffer.from(previousHash, 'hex'),
        Buffer.from(auditHash, 'hex'),
        this.#mark(`entry ${auditHash}`),
      )
      this.#places.add('audit', sessionKey, position, position)
      previousHash = auditHash
      follows = position
    }
    return { auditPosition: follows, auditHash }
  }

  /** Last thing in a transaction: notes how many entries there are, so that the newest ones are missed too. */
  settle(): void {
    if (!this.#isAhead || this.#isForged) return
    const number = this.#newestNumber()
    this.#writeHead.run(`${number} ${this.#mark(`head ${number}`).toString('hex')}`)
    this.#isAhead = false
  }

  /** After a rollback: what was written may not be there. */
  forget(): void {
    this.#number = undefined
    this.#isAhead = false
  }

  /** Only whoever has the store's key could have marked this hash. */
  isMarked(hash: string, mark: Uint8Array): boolean {
    return this.#mark(`entry ${hash}`).equals(mark)
  }

  /** How many entries were ever written, as it was noted; without a genuine note, what is there says it. */
  head(): { number: number; isGenuine: boolean } {
    const noted = this.#readHead.get()?.value
    const [number, mark] = String(noted ?? '').split(' ')
    if (noted !== undefined && this.#mark(`head ${number}`).toString('hex') === mark)
      return { number: Number(number), isGenuine: true }
    const isGenuine = noted === undefined && this.#anyTrace.get() === undefined
    return { number: this.#newestRow(), isGenuine }
  }

  #next(): number {
    this.#number = this.#newestNumber() + 1
    this.#isAhead = true
    return this.#number
  }

  /** Never one that was given out before, whatever was done to the rows. */
  #newestNumber(): number {
    if (this.#number === undefined) {
      const { number, isGenuine } = this.head()
      this.#isForged = !isGenuine
      this.#number = Math.max(number, this.#newestRow())
    }
    return this.#number
  }

  #newestRow(): number {
    return Number(this.#newest.get()?.number ?? 0)
  }

  #hash(position: number): string | null {
    const row = this.#hashAt.get(position)
    return row ? Buffer.from(row.hash as Uint8Array).toString('hex') : null
  }

  #mark(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest().subarray(0, markBytes)
  }
}
