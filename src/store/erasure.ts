/** Takes what a guest is and said out of the rows of a session, a bounded helping at a time. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Messages } from './messages.ts'
import type { DataKind, Places } from './places.ts'
import type { Requests } from './requests.ts'
import { messageColumns, messageJoins, toMessage } from './rows.ts'
import { type Eraser, StoreUnavailable } from './store.ts'

/** Rows rewritten in one transaction, so that nobody waits long for theirs. */
const rowsAtOnce = 200
const noteOf = (sessionId: string) => `erasing ${sessionId}`
/** Messages while the events that tell them are whole. */
const kinds: readonly DataKind[] = ['message', 'event', 'request']

export class Erasure {
  readonly #places: Places
  readonly #messages: Messages
  readonly #requests: Requests
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: DatabaseSync, places: Places, messages: Messages, requests: Requests) {
    this.#places = places
    this.#messages = messages
    this.#requests = requests
    this.#statements = prepare(db)
  }

  /** Inside a transaction: notes that the rows of the session are to be rewritten, so that a crash forgets none. */
  begin(sessionId: string): void {
    this.#statements.begin.run(noteOf(sessionId))
  }

  /** Inside a transaction. */
  finish(sessionId: string): void {
    this.#statements.finish.run(noteOf(sessionId))
  }

  /** Sessions whose rows may not all be rewritten. */
  unfinished(): string[] {
    const prefix = noteOf('')
    return this.#statements.unfinished
      .all(`${prefix}*`)
      .map(({ name }) => String(name).slice(prefix.length))
  }

  /** Inside a transaction: the next helping. Undefined when there was nothing left, else where to go on. */
  some(sessionKey: number, eraser: Eraser, from = first): ErasedUpTo | undefined {
    const kind = kinds[from.kind]
    if (kind === undefined) return undefined
    const positions = this.#places.after(kind, sessionKey, from.number, rowsAtOnce)
    let { number } = from
    for (const position of positions) number = this.#erase[kind](position, eraser) ?? number
    if (positions.length === rowsAtOnce) return { kind: from.kind, number }
    return { kind: from.kind + 1, number: 0 }
  }

  /** By kind: rewrites the row and returns its number. */
  readonly #erase: Record<DataKind, (position: number, eraser: Eraser) => number | undefined> = {
    event: (position, eraser) => {
      const row = this.#statements.event.get(position)
      if (row) this.#statements.writeEvent.run(eraser.data(String(row.data)), position)
      return row && Number(row.sequence)
    },
    message: (position, eraser) => {
      const row = this.#statements.message.get(position)
      if (!row) return undefined
      this.#messages.rewrite(position, eraser.message(toMessage(row)))
      return Number(row.ordinal)
    },
    request: (position) => {
      this.#requests.erase(position)
      return position
    },
  }
}

/** Everything of a kind up to this number is rewritten, and so are the kinds before it. */
export interface ErasedUpTo {
  kind: number
  number: number
}
const first: ErasedUpTo = { kind: 0, number: 0 }

/** Moves all of the write-ahead log into the file and cuts it off: it holds rows as they were before they changed. */
export function emptyLog(db: DatabaseSync): void {
  const row = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()
  if (row?.busy === 1) throw new StoreUnavailable('The write-ahead log is in use')
}

function prepare(db: DatabaseSync) {
  const statement = (sql: string): StatementSync => db.prepare(sql)
  return {
    begin: statement("INSERT OR REPLACE INTO notes (name, value) VALUES (?, 'begun')"),
    finish: statement('DELETE FROM notes WHERE name = ?'),
    unfinished: statement('SELECT name FROM notes WHERE name GLOB ?'),
    event: statement('SELECT sequence, data FROM events WHERE position = ?'),
    writeEvent: statement('UPDATE events SET data = ? WHERE position = ?'),
    message: statement(`
      SELECT ${messageColumns} FROM events e ${messageJoins} WHERE e.position = ?`),
  }
}
