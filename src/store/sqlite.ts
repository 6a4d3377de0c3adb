/** The store over an SQLite database that is open and up to date. */
import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import type { JournalEvent } from '../sessions/events.ts'
import type { Message } from '../sessions/message.ts'
import type { Session } from '../sessions/session.ts'
import { AuditBook } from './audit-book.ts'
import { AuditRetention } from './audit-retention.ts'
import { SqliteAudit } from './audit-trail.ts'
import { pageOf, readCursor } from './cursor.ts'
import { type ErasedUpTo, Erasure, emptyLog } from './erasure.ts'
import { EventPositions } from './event-position.ts'
import { Followers } from './followers.ts'
import { GroupCommit } from './group-commit.ts'
import { KnownSessions } from './known-sessions.ts'
import { Messages } from './messages.ts'
import { Places } from './places.ts'
import type { Helping } from './removal.ts'
import { Requests } from './requests.ts'
import { Retention } from './retention.ts'
import { type Row, toEvent, toMessage, toSession } from './rows.ts'
import type { SecretBox } from './secrets.ts'
import { SessionList } from './session-list.ts'
import { translated } from './sqlite-errors.ts'
import { prepareStatements } from './statements.ts'
import {
  type AuditTrail,
  type Change,
  type Eraser,
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
  readonly #erasure: Erasure
  readonly #auditRetention: AuditRetention
  readonly audit: AuditTrail
  readonly #statements: ReturnType<typeof prepareStatements>
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
    const audit = new AuditBook(db, box, places)
    const erasure = new Erasure(db, places, messages, requests)
    const parts = { places, sessions, messages, requests, followers, audit, erasure }
    this.#writer = new Writer({ db, box, ...parts })
    this.#erasure = erasure
    this.audit = new SqliteAudit({
      db,
      box,
      places,
      sessions,
      book: audit,
      read: (read) => this.#read(read),
    })
    this.#auditRetention = new AuditRetention(db, places, audit, this.audit.signer)
    this.#retention = new Retention(db, places, sessions)
    this.#list = new SessionList(db)
    this.#tallies = new Tallies(db)
    this.#statements = prepareStatements(db)
    this.#commits = new GroupCommit({
      db,
      clock,
      log,
      beforeCommit: () => {
        audit.settle()
        places.settleIfMany()
      },
      committed: () => followers.tell(),
      rolledBack: () => {
        places.forget()
        audit.forget()
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

  removeEndedBefore(epochMs: number, limit: number): Promise<number> {
    return this.#removeAll((removed) => this.#retention.removeSome(epochMs, limit - removed))
  }

  removeAuditBefore(epochMs: number, limit: number, at: number): Promise<number> {
    return this.#removeAll((removed) =>
      this.#auditRetention.removeSome(epochMs, limit - removed, at),
    )
  }

  async erase(sessionId: string, eraser: Eraser): Promise<void> {
    let upTo: ErasedUpTo | undefined
    do {
      upTo = await this.#commits.add(() => {
        const known = this.#sessions.find(sessionId)
        return known && this.#erasure.some(known.key, eraser, upTo)
      })
    } while (upTo)
    // Until the log is empty, it holds the rows as they were.
    this.#read(() => emptyLog(this.#deps.db))
    await this.#commits.add(() => this.#erasure.finish(sessionId))
  }

  async unfinishedErasures(): Promise<string[]> {
    return this.#read(() => this.#erasure.unfinished())
  }

  async findMessage(sessionId: string, messageId: string): Promise<Message | undefined> {
    const row = this.#read(() => this.#statements.message.get(messageId, sessionId))
    return row && toMessage(row)
  }

  async listMessages(sessionId: string, { limit, cursor }: PageRequest): Promise<Page<Message>> {
    const list = `messages ${sessionId}`
    const [after = 0] = cursor === undefined ? [] : readCursor(list, cursor)
    const found = this.#rowsAfter('message', sessionId, after, limit + 1).map(toMessage)
    return pageOf(list, found, limit, ({ ordinal }) => [ordinal])
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

  removeBookmark(reader: string): Promise<void> {
    return this.#commits.add(() => {
      this.#statements.removeBookmark.run(reader)
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

  /** Bounded helpings, until nothing is left to remove. */
  async #removeAll(remove: (removed: number) => Helping) {
    let removed = 0
    for (let more = true; more; ) {
      const done = await this.#commits.add(() => remove(removed))
      removed += done.removed
      more = done.more
    }
    return removed
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
