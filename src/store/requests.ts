import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import type { KnownSessions } from './known-sessions.ts'
import type { Places } from './places.ts'
import { toRecord } from './rows.ts'
import type { IdempotencyRecord } from './store.ts'

const purgedEvery = 32
const capacity = 50_000
/** A hash of what was asked could be compared with guesses, so that goes too; it is equal to no request's. */
const erased = { fingerprint: 'erased', answer: null }

/** Requests made under an Idempotency-Key and the answers they got, until they expire. */
export class Requests {
  readonly #clock: Clock
  readonly #places: Places
  readonly #sessions: KnownSessions
  readonly #find: StatementSync
  readonly #keep: StatementSync
  readonly #keepAnswer: StatementSync
  readonly #remove: StatementSync
  readonly #removeAnswer: StatementSync
  readonly #expired: StatementSync
  readonly #eraseAt: StatementSync
  readonly #unanswered = new Map<string, { record: IdempotencyRecord; position: number }>()
  #sincePurge = 0

  constructor(db: DatabaseSync, clock: Clock, places: Places, sessions: KnownSessions) {
    this.#clock = clock
    this.#places = places
    this.#sessions = sessions
    this.#find = db.prepare(`
      SELECT r.*, a.body FROM requests r LEFT JOIN answers a ON a.request_position = r.position
      WHERE r.key = ?`)
    this.#keep = db.prepare(`
      INSERT INTO requests (position, key, fingerprint, session_id, session_key, message_id, expires_at)
      VALUES (?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`)
    this.#keepAnswer = db.prepare('REPLACE INTO answers (request_position, body) VALUES (?, ?)')
    this.#remove = db.prepare('DELETE FROM requests WHERE position = ?')
    this.#removeAnswer = db.prepare('DELETE FROM answers WHERE request_position = ?')
    this.#eraseAt = db.prepare(
      'UPDATE requests SET fingerprint = ? WHERE position = ? RETURNING key',
    )
    this.#expired = db.prepare(`
      SELECT position FROM (SELECT position, expires_at FROM requests ORDER BY position LIMIT ?)
      WHERE expires_at <= ?`)
  }

  find(key: string): IdempotencyRecord | undefined {
    const row = this.#find.get(key)
    const record = row && toRecord(row)
    return record && record.expiresAt > this.#clock.now() ? record : undefined
  }

  /** Inside a transaction: keeps the record in the place of any other of its key. */
  save(given: IdempotencyRecord): void {
    const isErased = this.#sessions.find(given.sessionId)?.isErased === true
    const record = isErased ? { ...given, ...erased } : given
    const position = this.#unansweredPosition(record) ?? this.#kept(record)
    if (record.answer) this.#keepAnswer.run(position, JSON.stringify(record.answer))
    this.#remember(record, position)
  }

  /**
   * Inside a transaction: takes the answer out of a record, and what was asked. Its key stays taken, so that a repeat
   * is refused rather than done again.
   */
  erase(position: number): void {
    const row = this.#eraseAt.get(erased.fingerprint, position)
    if (row) this.#unanswered.delete(String(row.key))
    this.#removeAnswer.run(position)
  }

  /** Inside a transaction. */
  remove(key: string): void {
    this.#unanswered.delete(key)
    const row = this.#find.get(key)
    if (row) this.#removeAt(Number(row.position))
  }

  /** After a rollback: what is remembered may not be there. */
  forgetAll(): void {
    this.#unanswered.clear()
  }

  /** Where the same request is, when all it lacks is its answer. */
  #unansweredPosition(record: IdempotencyRecord): number | undefined {
    const known = this.#unanswered.get(record.key)
    return known && isSameRequest(known.record, record) ? known.position : undefined
  }

  #kept(record: IdempotencyRecord): number {
    this.#purge()
    const { key, sessionId } = record
    const sessionKey = this.#sessions.find(sessionId)?.key ?? null
    const position = this.#places.next()
    if (!this.#added(position, record, sessionKey)) {
      this.remove(key)
      this.#added(position, record, sessionKey)
    }
    if (sessionKey !== null) this.#places.add('request', sessionKey, position, position)
    return position
  }

  /** False when there is one of this key. */
  #added(position: number, record: IdempotencyRecord, sessionKey: number | null): boolean {
    const { key, fingerprint, sessionId, messageId, expiresAt } = record
    const values = [position, key, fingerprint, sessionId, sessionKey, messageId, expiresAt]
    return this.#keep.run(...values).changes > 0
  }

  #remember(record: IdempotencyRecord, position: number): void {
    if (record.answer) this.#unanswered.delete(record.key)
    else this.#unanswered.set(record.key, { record, position })
    // Only requests that nobody will answer pile up here; forgetting costs a read, nothing else.
    if (this.#unanswered.size > capacity) this.#unanswered.clear()
  }

  /** The oldest that expired, now and then, and twice as many as came since: they never pile up. */
  #purge(): void {
    this.#sincePurge += 1
    if (this.#sincePurge < purgedEvery) return
    this.#sincePurge = 0
    for (const row of this.#expired.all(2 * purgedEvery, this.#clock.now())) {
      this.#removeAt(Number(row.position))
    }
  }

  #removeAt(position: number): void {
    this.#remove.run(position)
    this.#removeAnswer.run(position)
  }
}

function isSameRequest(before: IdempotencyRecord, after: IdempotencyRecord): boolean {
  return (
    before.fingerprint === after.fingerprint &&
    before.sessionId === after.sessionId &&
    before.messageId === after.messageId &&
    before.expiresAt === after.expiresAt
  )
}
