/** Reads the audit, and says of each entry whether it is what was written. */
import type { DatabaseSync } from 'node:sqlite'
import { setImmediate as turn } from 'node:timers/promises'
import { type Signer, signerOf } from '../ed25519.ts'
import type { JsonObject } from '../json.ts'
import type { AuditAction, AuditEntry } from '../sessions/audit-entry.ts'
import type { AuditBook } from './audit-book.ts'
import { pageOf, readCursor } from './cursor.ts'
import type { KnownSessions } from './known-sessions.ts'
import type { Places } from './places.ts'
import type { Row } from './rows.ts'
import type { SecretBox } from './secrets.ts'
import type { AuditFilter, AuditPart, AuditTrail, KeptEntry, Page, PageRequest } from './store.ts'

export interface SqliteAuditDeps {
  db: DatabaseSync
  box: SecretBox
  places: Places
  sessions: KnownSessions
  book: AuditBook
  /** Runs a read, and says what its failure means. */
  read<T>(read: () => T): T
}

/** Entries looked at in one turn of the event loop, when a list passes some over. */
const window = 500

export class SqliteAudit implements AuditTrail {
  readonly signer: Signer
  readonly #deps: SqliteAuditDeps
  readonly #statements: ReturnType<typeof prepare>

  constructor(deps: SqliteAuditDeps) {
    this.signer = signerOf(deps.box.derive('audit signature'))
    this.#deps = deps
    this.#statements = prepare(deps.db)
  }

  async list(filter: AuditFilter, { limit, cursor }: PageRequest): Promise<Page<AuditEntry>> {
    const list = JSON.stringify(['audit', filter])
    let [position = 0] = cursor === undefined ? [] : readCursor(list, cursor)
    const found: { position: number; entry: AuditEntry }[] = []
    const { action, after, before } = filter
    const passesOver = [action, after, before].some((wanted) => wanted !== undefined)
    const atOnce = passesOver ? window : limit + 1
    for (let isEnd = false; !isEnd && found.length <= limit; ) {
      const rows = this.#rows(filter, position, atOnce)
      for (const row of rows) {
        if (!matches(filter, row)) continue
        found.push({ position: Number(row.position), entry: this.#kept(row).entry })
      }
      position = Number(rows.at(-1)?.position ?? position)
      isEnd = rows.length < atOnce
      if (!isEnd && found.length <= limit) await turn()
    }
    const { items, nextCursor } = pageOf(list, found, limit, (each) => [each.position])
    return { items: items.map(({ entry }) => entry), nextCursor }
  }

  async read(filter: AuditFilter, afterPosition: number, limit: number): Promise<AuditPart> {
    const rows = this.#rows(filter, afterPosition, limit)
    const entries = rows.filter((row) => matches(filter, row)).map((row) => this.#kept(row))
    const position = Number(rows.at(-1)?.position ?? afterPosition)
    return { entries, position, isEnd: rows.length < limit }
  }

  async head(): Promise<{ number: number; isGenuine: boolean }> {
    return this.#deps.read(() => this.#deps.book.head())
  }

  #rows({ sessionId }: AuditFilter, after: number, limit: number): Row[] {
    const { places, read } = this.#deps
    return read(() => {
      if (sessionId === undefined) return this.#statements.after.all(after, limit)
      const key = this.#keyOf(sessionId)
      if (key === undefined) return []
      const positions = places.after('audit', key, after, limit)
      return this.#statements.at.all(JSON.stringify(positions))
    })
  }

  #keyOf(sessionId: string): number | undefined {
    const known = this.#deps.sessions.find(sessionId)
    if (known) return known.key
    const row = this.#statements.audited.get(sessionId)
    return row && Number(row.session_key)
  }

  #kept(row: Row): KeptEntry {
    const { details, isWhole } = detailsOf(String(row.details))
    const at = Number(row.at)
    const isTime = Math.abs(at) <= lastInstant
    const entry: AuditEntry = {
      number: Number(row.number),
      action: row.action as AuditAction,
      at: isTime ? at : 0,
      actor: row.actor as string | null,
      sessionId: row.session_id as string | null,
      details,
      previousHash: hexOf(row.previous),
      hash: hexOf(row.hash) ?? '',
    }
    const isMarked =
      isWhole && isTime && this.#deps.book.isMarked(entry.hash, row.mark as Uint8Array)
    return { entry, isMarked, isLinked: isLinked(row) }
  }
}

/** As far as dates go, epoch ms. */
const lastInstant = 8.64e15

/** Somebody may have written anything there. */
function detailsOf(text: string): { details: JsonObject; isWhole: boolean } {
  try {
    const value = JSON.parse(text) as JsonObject | null
    const details = typeof value === 'object' && value ? value : unreadable
    return { details, isWhole: JSON.stringify(details) === text }
  } catch {
    return { details: unreadable, isWhole: false }
  }
}
const unreadable: JsonObject = { unreadable: true }

function hexOf(value: Row[string] | undefined): string | null {
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : null
}

/** Whether it says of the entry before it what that says of itself; of one that is not kept, that there was one. */
function isLinked({ follows, previous, follows_hash }: Row): boolean {
  if ((follows === null) !== (previous === null)) return false
  return follows_hash === null || hexOf(follows_hash) === hexOf(previous)
}

/** Looks at the row alone: many are passed over. */
function matches({ action, after, before }: AuditFilter, row: Row): boolean {
  const at = Number(row.at)
  return (
    (action === undefined || row.action === action) &&
    (after === undefined || at >= after) &&
    (before === undefined || at < before)
  )
}

function prepare(db: DatabaseSync) {
  const columns = `a.*, coalesce(s.id, g.session_id) AS session_id, f.hash AS follows_hash`
  const joins = `
    LEFT JOIN sessions s ON s.key = a.session_key
    LEFT JOIN audited g ON g.session_key = a.session_key
    LEFT JOIN audit f ON f.position = a.follows`
  const statements = {
    after: db.prepare(`
      SELECT ${columns} FROM audit a ${joins} WHERE a.position > ? ORDER BY a.position LIMIT ?`),
    at: db.prepare(`
      SELECT ${columns} FROM json_each(?) AS wanted CROSS JOIN audit a ON a.position = wanted.value ${joins}`),
    audited: db.prepare('SELECT session_key FROM audited WHERE session_id = ?'),
  }
  // Somebody may have written numbers there that no number can hold; reading them must not fail.
  statements.after.setReadBigInts(true)
  statements.at.setReadBigInts(true)
  return statements
}
