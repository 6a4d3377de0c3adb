import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Signer } from '../ed25519.ts'
import type { AuditNote } from '../sessions/audit-entry.ts'
import type { AuditBook } from './audit-book.ts'
import type { Places } from './places.ts'
import { type Helping, removeSome } from './removal.ts'
import type { Row } from './rows.ts'

/**
 * Removes the audit entries of sessions that ended long ago. First comes the tombstone: the session's last entry, signed,
 * which says which entries are gone and what the last of them hashed to. It stays.
 */
export class AuditRetention {
  readonly #places: Places
  readonly #book: AuditBook
  readonly #signer: Signer
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: DatabaseSync, places: Places, book: AuditBook, signer: Signer) {
    this.#places = places
    this.#book = book
    this.#signer = signer
    this.#statements = prepare(db)
  }

  /** Inside a transaction. Tombstones are dated `at`. */
  removeSome(before: number, limit: number, at: number): Helping {
    const { oldest, done } = this.#statements
    const removal = {
      next: () => oldest.get(before),
      removeRows: (session: Row, most: number) => this.#removeEntries(session, most, at),
      done: (session: Row) => done.run(Number(session.session_key)),
    }
    return removeSome(this.#places, removal, limit)
  }

  #removeEntries({ session_key, session_id, tombstone }: Row, limit: number, at: number): number {
    const key = Number(session_key)
    const kept = tombstone === null ? this.#bury(key, String(session_id), at) : Number(tombstone)
    let removed = 0
    for (const { from, to } of this.#places.take('audit', key, limit, kept)) {
      this.#statements.removeEntries.run(from, to)
      removed += to - from + 1
    }
    return removed
  }

  /** Writes the tombstone; returns its position. */
  #bury(key: number, sessionId: string, at: number): number {
    const entries = this.#statements.entries.all(key)
    const last = entries.at(-1)
    const hash = last && Buffer.from(last.hash as Uint8Array).toString('hex')
    const facts = {
      sessionId,
      entries: entries.length,
      numbers: rangesOf(entries.map(({ number }) => Number(number))),
      lastHash: hash ?? null,
      publicKey: this.#signer.publicKey,
    }
    const signature = this.#signer.sign(JSON.stringify(facts))
    const details = { ...facts, signature }
    const note: AuditNote = { action: 'audit_removed', at, actor: null, details }
    const follows = last ? Number(last.position) : null
    const buried = this.#book.write(key, sessionId, [note], {
      auditPosition: follows,
      auditHash: hash,
    })
    const position = Number(buried.auditPosition)
    this.#statements.buried.run(position, position, key)
    // The places of what goes must be in the table, and so must that of what stays.
    this.#places.settle()
    return position
  }
}

/** `1-3,7` */
function rangesOf(numbers: readonly number[]): string {
  const ranges: string[] = []
  for (let at = 0; at < numbers.length; ) {
    const first = numbers[at] ?? 0
    let length = 1
    while (numbers[at + length] === first + length) length += 1
    ranges.push(length === 1 ? String(first) : `${first}-${first + length - 1}`)
    at += length
  }
  return ranges.join(',')
}

function prepare(db: DatabaseSync) {
  const statement = (sql: string): StatementSync => db.prepare(sql)
  return {
    oldest: statement(`
      SELECT session_key, session_id, tombstone FROM audited
      WHERE ended_at < ? ORDER BY ended_at, session_key LIMIT 1`),
    entries: statement(`
      SELECT a.position, a.number, a.hash FROM places p
      CROSS JOIN audit a ON a.position BETWEEN p.position AND p.position + p.count - 1
      WHERE p.session_key = ? AND p.kind = 'audit' ORDER BY a.position`),
    buried: statement('UPDATE audited SET tombstone = ?, last = ? WHERE session_key = ?'),
    removeEntries: statement('DELETE FROM audit WHERE position BETWEEN ? AND ?'),
    done: statement('UPDATE audited SET ended_at = NULL WHERE session_key = ?'),
  }
}
