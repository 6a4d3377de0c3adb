/** The statements that change sessions and all that is theirs. Each call runs inside a transaction of GroupCommit. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { NewEvent } from '../sessions/events.ts'
import type { Session } from '../sessions/session.ts'
import type { AuditBook } from './audit-book.ts'
import type { Erasure } from './erasure.ts'
import type { Followers } from './followers.ts'
import type { Known, KnownSessions } from './known-sessions.ts'
import type { Messages } from './messages.ts'
import type { Places } from './places.ts'
import type { Requests } from './requests.ts'
import { besidesText, progressValues, sameButProgress, sessionValues } from './rows.ts'
import type { SecretBox } from './secrets.ts'
import { type Change, VersionConflict } from './store.ts'

export interface WriterDeps {
  db: DatabaseSync
  box: SecretBox
  places: Places
  sessions: KnownSessions
  messages: Messages
  requests: Requests
  followers: Followers
  audit: AuditBook
  erasure: Erasure
}

export class Writer {
  readonly #deps: WriterDeps
  readonly #statements: ReturnType<typeof prepare>

  constructor(deps: WriterDeps) {
    this.#deps = deps
    this.#statements = prepare(deps.db)
  }

  /** Throws VersionConflict before anything is written. */
  change({ session, expectedVersion, events, messages, audit, idempotency }: Change): void {
    const { sessions, places, requests, erasure } = this.#deps
    const known = sessions.find(session.id)
    checkFollows(session, expectedVersion, events.length, known)
    const key = known?.key ?? places.next()
    const last = this.#deps.audit.write(key, session.id, audit ?? [], known)
    const written = this.#session(key, session, known, last.auditPosition)
    const told = new Set<string>()
    let sequence = known?.sequence ?? 0
    for (const event of events) {
      sequence += 1
      const position = this.#event(key, session.id, sequence, event)
      if (!event.tells) continue
      this.#deps.messages.add(key, event.tells.message, position)
      told.add(event.tells.message.id)
    }
    for (const message of messages) {
      if (!told.has(message.id)) this.#deps.messages.replace(key, message)
    }
    const { version } = session
    const isErased = session.erasedAt !== null
    if (isErased && !known?.isErased) erasure.begin(session.id)
    sessions.keep(session.id, { key, version, sequence, ...last, isErased, written })
    if (idempotency) requests.save(idempotency)
  }

  /** Returns a state of the session that has the body which is in the database now. */
  #session(
    key: number,
    session: Session,
    known: Known | undefined,
    auditPosition: number | null,
  ): Session {
    const { insertSession, updateSession, insertProgress, updateProgress } = this.#statements
    const progress = progressValues(session, auditPosition)
    if (known) updateProgress.run(...progress, key)
    else insertProgress.run(...progress, key)
    if (known?.written && sameButProgress(known.written, session)) return session
    const values = sessionValues(session, this.#deps.box)
    if (known) updateSession.run(...values, key)
    else insertSession.run(...values, key, session.id)
    for (const value of Object.values(session)) freeze(value)
    return session
  }

  /** Returns its position. */
  #event(key: number, sessionId: string, sequence: number, event: NewEvent): number {
    const { places, followers } = this.#deps
    const position = places.next()
    const { id, type, at, messageId, ordinal, actor, trace, data, tells } = event
    const besides = tells ? besidesText(tells) : null
    this.#statements.insertEvent.run(
      ...[position, key, sequence, id, type, at, messageId, ordinal, actor, trace, data, besides],
    )
    places.add('event', key, sequence, position)
    const facts = { id, type, at, messageId, ordinal, actor, trace, data }
    followers.expect({ ...facts, sessionId, sequence, position })
    return position
  }
}

/** Throws VersionConflict, or an Error for a change that contradicts itself. */
function checkFollows(
  session: Session,
  expectedVersion: number,
  events: number,
  known: Known | undefined,
): void {
  const version = known?.version ?? 0
  if (version !== expectedVersion) {
    throw new VersionConflict(
      `${session.id} is at version ${version}, not at the ${expectedVersion} the change was made from`,
    )
  }
  const sequence = (known?.sequence ?? 0) + events
  if (session.version !== version + 1 || session.sequence !== sequence) {
    throw new Error(
      `${session.id} must go to version ${version + 1} and sequence ${sequence}, not ${session.version} and ${session.sequence}`,
    )
  }
}

/** Comparing with it later is only worth something if nobody mutates what it is made of. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const inner of Object.values(value)) freeze(inner)
}

function prepare(db: DatabaseSync) {
  const statement = (sql: string): StatementSync => db.prepare(sql)
  return {
    insertSession: statement(`
      INSERT INTO sessions (state, dialect, guest_id, conversation_id, external_id, created_at, ended_at,
        erased_at, body, secrets, key, id)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    updateSession: statement(`
      UPDATE sessions SET state = ?, dialect = ?, guest_id = ?, conversation_id = ?, external_id = ?,
        created_at = ?, ended_at = ?, erased_at = ?, body = ?, secrets = ?
      WHERE key = ?`),
    insertProgress: statement(`
      INSERT INTO progress (version, sequence, last_ordinal, last_activity_at, outbound, inbound, failed,
        audit_position, session_key)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    updateProgress: statement(`
      UPDATE progress SET version = ?, sequence = ?, last_ordinal = ?, last_activity_at = ?, outbound = ?,
        inbound = ?, failed = ?, audit_position = ?
      WHERE session_key = ?`),
    insertEvent: statement(`
      INSERT INTO events (position, session_key, sequence, id, type, at, message_id, ordinal, actor, trace, data,
        besides)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
  }
}
