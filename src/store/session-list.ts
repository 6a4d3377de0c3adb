/**
 * Lists of sessions, newest first. Every list walks one index from the cursor on, and stops when the page is full, so
 * its cost does not depend on how many sessions there are.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import { pageOf, readCursor } from './cursor.ts'
import { type Row, sessionColumns } from './rows.ts'
import type { Page, PageRequest, SessionFilter } from './store.ts'

/** The condition of each filter, and the index that serves it. The first one asked for picks the index. */
const filters = {
  conversationId: { where: 's.conversation_id = ?', index: 'sessions_by_conversation' },
  externalId: { where: 's.external_id = ?', index: 'sessions_by_external_id' },
  guestId: { where: 's.guest_id = ?', index: 'sessions_by_guest' },
  dialect: { where: 's.dialect = ?', index: 'sessions_by_dialect' },
  state: { where: 's.state = ?', index: 'sessions_by_state' },
  createdAfter: { where: 's.created_at >= ?', index: 'sessions_by_age' },
  createdBefore: { where: 's.created_at < ?', index: 'sessions_by_age' },
} as const satisfies Record<keyof SessionFilter, { where: string; index: string }>
const filterNames = Object.keys(filters) as (keyof SessionFilter)[]

export class SessionList {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  /** Rows with `sessionColumns`. Throws InvalidCursor. */
  read(filter: SessionFilter, { limit, cursor }: PageRequest): Page<Row> {
    const asked = filterNames.filter((name) => filter[name] !== undefined)
    const values = asked.map((name) => filter[name] as string | number)
    const list = JSON.stringify(['sessions', asked, values])
    const place = cursor === undefined ? undefined : readCursor(list, cursor)
    const rows = this.#rows(asked, values, limit + 1, place)
    return pageOf(list, rows, limit, (row) => [Number(row.created_at), Number(row.key)])
  }

  #rows(
    asked: (keyof SessionFilter)[],
    values: SQLInputValue[],
    count: number,
    place: number[] | undefined,
  ): Row[] {
    if (!place) return this.#statement(asked, '').all(...values, count)
    const [createdAt = 0, key = 0] = place
    // Two steps, because SQLite does not use an index for the second half of (created_at, key) < (?, ?), and many
    // sessions can be created in one millisecond.
    const sameTime = this.#statement(asked, 's.created_at = ? AND s.key < ?')
    const rows = sameTime.all(...values, createdAt, key, count)
    if (rows.length === count) return rows
    const earlier = this.#statement(asked, 's.created_at < ?')
    return [...rows, ...earlier.all(...values, createdAt, count - rows.length)]
  }

  #statement(asked: (keyof SessionFilter)[], after: string): StatementSync {
    const conditions = [...asked.map((name) => filters[name].where), ...(after ? [after] : [])]
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
    const sql = `
      SELECT ${sessionColumns} FROM sessions s INDEXED BY ${indexFor(asked)}
      CROSS JOIN progress p ON p.session_key = s.key
      ${where} ORDER BY s.created_at DESC, s.key DESC LIMIT ?`
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** Named, because SQLite would guess without statistics. */
function indexFor(asked: (keyof SessionFilter)[]): string {
  const [first, second] = asked
  if (first === 'dialect' && second === 'state') return 'sessions_by_dialect_and_state'
  return first ? filters[first].index : 'sessions_by_age'
}
