/** The store over an SQLite database that is open and up to date. */
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import type { JournalEvent } from '../sessions/events.ts'
import type { Message } from '../sessions/message.ts'
import type { Session } from '../sessions/session.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { EventPositions } from './event-position.ts'
import { Followers } from './followers.ts'
import { GroupCommit } from './group-commit.ts'
import { KnownSessions } from './known-sessions.ts'
import { Messages } from './messages.ts'
import { Places } from './places.ts'
import { Requests } from './requests.ts'
import { Retention } from './retention.ts'
import { messageColumns, type Row, sessionColumns, toEvent, toMessage, toSession } from './rows.ts'
import type { SecretBox } from './secrets.ts'
import { SessionList } from './session-list.ts'
import { translated } from './sqlite-errors.ts'
import {
  type Change,
  type IdempotencyRecord,
  type Page,
  type PageRequest,
  type SessionFilter,
  type Store,
  StoreUnavailable,
  type Tally,
} from './store.ts'
import type { StoreLog } from './store-log.ts'
import { Tallies } from './tallies.ts'
import { Writer } from './writer.ts'

export interface SqliteStoreDeps {
  /** Closed with the store. */
  db: DatabaseSync
  box: SecretBox
  clock: Clock
  log: StoreLog
}

export class SqliteStore implements Store {
  readonly #deps: SqliteStoreDeps
  readonly #places: Places
  readonly #sessions: KnownSessions
  readonly #eventPositions: EventPositions
  readonly #followers: Followers
  readonly #requests: Requests
  readonly #writer: Writer
  readonly #commits: GroupCommit
  readonly #retention: Retention
  readonly #list: SessionList
  readonly #tallies: Tallies
  readonly #statements: ReturnType<typeof prepare>
  #isClosed = false

  constructor(deps: SqliteStoreDeps) {
    const { db, box, clock, log } = deps
    const places = new Places(db)
    const sessions = new KnownSessions(db)
    const messages = new Messages(db, places)
    const requests = new Requests(db, clock, places, sessions)
    const followers = new Followers(log)
    this.#deps = deps
    this.#places = places
    this.#sessions = sessions
    this.#eventPositions = new EventPositions(db)
    this.#followers = followers
    this.#requests = requests
    this.#writer = new Writer({ db, box, places, sessions, messages, requests, followers })
    this.#retention = new Retention(db, places, sessions)
    this.#list = new SessionList(db)
    this.#tallies = new Tallies(db)
    this.#statements = prepare(db)
    this.#commits = new GroupCommit({
      db,
      clock,
      log,
      beforeCommit: () => places.settleIfMany(),
      committed: () => followers.tell(),
      rolledBack: () => {
        places.forget()
        sessions.forgetAll()
        messages.forgetAll()
        requests.forgetAll()
        followers.drop()
      },
    })
  }

  commit(change: Change): Promise<void> {
    return this.#commits.add(() => this.#writer.change(change))
  }

  async findSession(id: string): Promise<Session | undefined> {
    const row = this.#read(() => this.#statements.session.get(id))
    return row && toSession(row, this.#deps.box)
  }

  async listSessions(filter: SessionFilter, page: PageRequest): Promise<Page<Session>> {
    const { items, nextCursor } = this.#read(() => this.#list.read(filter, page))
    return { items: items.map((row) => toSession(row, this.#deps.box)), nextCursor }
  }

  async unfinishedSessions(): Promise<string[]> {
    return this.#read(() => this.#statements.unfinished.all()).map((row) => String(row.id))
  }

  async removeEndedBefore(epochMs: number, limit: number): Promise<number> {
    let removed = 0
    for (let more = true; more; ) {
      const done = await this.#commits.add(() =>
        this.#retention.removeSome(epochMs, limit - removed),
      )
      removed += done.removed
      more = done.more
    }
    return removed
  }

  async findMessage(sessionId: string, messageId: string): Promise<Message | undefined> {
    const row = this.#read(() => this.#statements.message.get(messageId, sessionId))
    return row && toMessage(row)
  }

  async listMessages(sessionId: string, { limit, cursor }: PageRequest): Promise<Page<Message>> {
    const list = `messages ${sessionId}`
    const [after = 0] = cursor === undefined ? [] : readCursor(list, cursor)
    const rows = this.#rowsAfter('message', sessionId, after, limit + 1)
    const items = rows.slice(0, limit).map(toMessage)
    const last = items.at(-1)
    const hasMore = rows.length > limit && last !== undefined
    return { items, nextCursor: hasMore ? writeCursor(list, [last.ordinal]) : null }
  }

  async unsettledMessages(sessionId: string): Promise<Message[]> {
    return this.#read(() => this.#statements.unsettled.all(sessionId)).map(toMessage)
  }

  async findIdempotency(key: string): Promise<IdempotencyRecord | undefined> {
    return this.#read(() => this.#requests.find(key))
  }

  saveIdempotency(record: IdempotencyRecord): Promise<void> {
    return this.#commits.add(() => this.#requests.save(record))
  }

  removeIdempotency(key: string): Promise<void> {
    return this.#commits.add(() => this.#requests.remove(key))
  }

  async eventsOf(id: string, afterSequence: number, limit: number): Promise<JournalEvent[]> {
    return this.#rowsAfter('event', id, afterSequence, limit).map(toEvent)
  }

  async journal(afterPosition: number, limit: number): Promise<JournalEvent[]> {
    return this.#read(() => this.#statements.journal.all(afterPosition, limit)).map(toEvent)
  }

  async positionOf(eventId: string): Promise<number | undefined> {
    return this.#read(() => this.#eventPositions.find(eventId))
  }

  async lastPosition(): Promise<number> {
    return Number(this.#read(() => this.#statements.lastPosition.get())?.position ?? 0)
  }

  follow(listener: (events: readonly JournalEvent[]) => void): () => void {
    return this.#followers.add(listener)
  }

  async readBookmark(reader: string): Promise<{ position: number; state: string } | undefined> {
    const row = this.#read(() => this.#statements.bookmark.get(reader))
    return row && { position: Number(row.position), state: String(row.state) }
  }

  writeBookmark(reader: string, position: number, state: string): Promise<void> {
    return this.#commits.add(() => {
      this.#statements.writeBookmark.run(reader, position, state)
    })
  }

  writeTally(
    tally: Omit<Tally, 'count'>,
    count: () => number,
    forgetBefore: number,
  ): Promise<void> {
    return this.#commits.add(() => this.#tallies.write({ ...tally, count: count() }, forgetBefore))
  }

  async tallies(): Promise<Tally[]> {
    return this.#read(() => this.#tallies.all())
  }

  deriveKey(purpose: string): Buffer {
    return this.#deps.box.derive(purpose)
  }

  seal(text: string): string {
    return Buffer.from(this.#deps.box.seal(text, 'text')).toString('base64')
  }

  unseal(sealed: string): string {
    return this.#deps.box.unseal(Buffer.from(sealed, 'base64'), 'text')
  }

  trouble(): string | undefined {
    return this.#isClosed ? 'The store is closed' : this.#commits.trouble()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#commits.close()
    // Closing moves the write-ahead log into the file and gives the lock back.
    this.#deps.db.close()
  }

  /** A session's rows of a kind with a higher number, in order. */
  #rowsAfter(kind: 'event' | 'message', sessionId: string, number: number, limit: number): Row[] {
    return this.#read(() => {
      const session = this.#sessions.find(sessionId)
      if (!session) return []
      const positions = this.#places.after(kind, session.key, number, limit)
      const rows = this.#statements.rowsAt[kind].all(JSON.stringify(positions))
      return kind === 'event' ? rows.map((row) => ({ ...row, session_id: sessionId })) : rows
    })
  }

  #read<T>(read: () => T): T {
    if (this.#isClosed) throw new StoreUnavailable('The store is closed')
    try {
      return read()
    } catch (error) {
      throw translated(error)
    }
  }
}

function prepare(db: DatabaseSync) {
  return {
    session: db.prepare(`
      SELECT ${sessionColumns} FROM sessions s JOIN progress p ON p.session_key = s.key
      WHERE s.id = ?`),
    unfinished: db.prepare(`
      SELECT id FROM sessions WHERE state = 'pending'
      UNION
      SELECT s.id FROM deliveries d INDEXED BY deliveries_unsettled
      CROSS JOIN sessions s ON s.key = d.session_key WHERE d.settled = 0
      ORDER BY id`),
    message: db.prepare(`
      SELECT ${messageColumns} FROM sessions s
      CROSS JOIN messages m ON m.session_key = s.key
      CROSS JOIN deliveries d ON d.message_position = m.position
      WHERE m.id = ? AND s.id = ?`),
    unsettled: db.prepare(`
      SELECT ${messageColumns} FROM sessions s
      CROSS JOIN deliveries d INDEXED BY deliveries_unsettled ON d.session_key = s.key
      CROSS JOIN messages m ON m.position = d.message_position
      WHERE s.id = ? AND d.settled = 0 ORDER BY d.message_position`),
    journal: db.prepare(`
      SELECT e.*, s.id AS session_id FROM events e CROSS JOIN sessions s ON s.key = e.session_key
      WHERE e.position > ? ORDER BY e.position LIMIT ?`),
    lastPosition: db.prepare('SELECT max(position) AS position FROM events'),
    bookmark: db.prepare('SELECT position, state FROM bookmarks WHERE reader = ?'),
    writeBookmark: db.prepare('REPLACE INTO bookmarks (reader, position, state) VALUES (?, ?, ?)'),
    rowsAt: {
      event: db.prepare(`
        SELECT e.* FROM json_each(?) AS wanted CROSS JOIN events e ON e.position = wanted.value`),
      message: db.prepare(`
        SELECT ${messageColumns} FROM json_each(?) AS wanted
        CROSS JOIN messages m ON m.position = wanted.value
        CROSS JOIN deliveries d ON d.message_position = m.position`),
    },
  }
}
