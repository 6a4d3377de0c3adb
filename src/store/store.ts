import type { Signer } from '../ed25519.ts'
import type { AuditAction, AuditEntry, AuditNote } from '../sessions/audit-entry.ts'
import type { JournalEvent, NewEvent } from '../sessions/events.ts'
import type { Message } from '../sessions/message.ts'
import type { DialectName, Session, SessionState } from '../sessions/session.ts'

/** One atomic step of one session. Either all of it is durable and announced, or none of it happened. */
export interface Change {
  /** The session after the step; `version` is `expectedVersion + 1`. */
  session: Session
  /** The version it was made from; 0 for a session that does not exist yet. */
  expectedVersion: number
  /** In order; the store gives them sequences that follow on, ending at `session.sequence`. */
  events: readonly NewEvent[]
  /** Whole messages. One that is new comes with the event that tells it. */
  messages: readonly Message[]
  /** What the audit says of it, in order. */
  audit?: readonly AuditNote[] | undefined
  idempotency?: IdempotencyRecord | undefined
}

/** The first answer given under an `Idempotency-Key`, or the message whose outcome will be that answer. */
export interface IdempotencyRecord {
  /** API key name and key, so that two callers never share one. */
  key: string
  /** SHA-256 of method, path and body. */
  fingerprint: string
  /** Null until answered; then exactly what was sent. */
  answer: { status: number; location: string | null; body: string } | null
  sessionId: string
  messageId: string | null
  /** Epoch ms after which it is forgotten. */
  expiresAt: number
}

export interface SessionFilter {
  state?: SessionState | undefined
  dialect?: DialectName | undefined
  guestId?: string | undefined
  conversationId?: string | undefined
  /** `metadata.externalSessionId` */
  externalId?: string | undefined
  /** Epoch ms, inclusive. */
  createdAfter?: number | undefined
  /** Epoch ms, exclusive. */
  createdBefore?: number | undefined
}

export interface Page<T> {
  items: T[]
  /** Opaque; null on the last page. */
  nextCursor: string | null
}

export interface PageRequest {
  limit: number
  cursor?: string | undefined
}

export interface AuditFilter {
  sessionId?: string | undefined
  action?: AuditAction | undefined
  /** Epoch ms, inclusive. */
  after?: number | undefined
  /** Epoch ms, exclusive. */
  before?: number | undefined
}

/** An audit entry as it is found, and whether it is what was written. */
export interface KeptEntry {
  entry: AuditEntry
  /** Its hash bears the mark of this store's key, which nobody else can make. */
  isMarked: boolean
  /** It says of the entry before it in its session what that says of itself, or that one is not kept. */
  isLinked: boolean
}

export interface AuditPart {
  entries: KeptEntry[]
  /** Where to go on. */
  position: number
  isEnd: boolean
}

/** The audit as it is read. It is written with the changes it is about. */
export interface AuditTrail {
  /** In order. Rejects with InvalidCursor. */
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>>
  /** The next `limit` entries after a position, those of them that match, in order. */
  read(filter: AuditFilter, afterPosition: number, limit: number): Promise<AuditPart>
  /** How many entries were ever written, and whether that note is what was written. */
  head(): Promise<{ number: number; isGenuine: boolean }>
  /** Signs for this store. */
  readonly signer: Signer
}

/** What is left of each part once the guest is taken out. */
export interface Eraser {
  /** JSON text of an event's `data`. */
  data(data: string): string
  message(message: Message): Message
}

/** A count that outlives the process. */
export interface Tally {
  name: string
  /** Epoch ms. */
  slot: number
  count: number
}

/** The session changed since it was read: read again and decide again. */
export class VersionConflict extends Error {
  override readonly name = 'VersionConflict'
}

/** The change could not be made durable (disk full, engine gone). Nothing of it was kept. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** A cursor that this store did not give out. */
export class InvalidCursor extends Error {
  override readonly name = 'InvalidCursor'
}

/**
 * Where sessions live. Every engine passes test/store/contract.test.ts.
 * What is returned is a copy; changing it changes nothing here.
 */
export interface Store extends AsyncDisposable {
  /**
   * Resolves once the change survives `kill -9`. Changes of one session are applied in the order of their calls.
   * Rejects with VersionConflict or StoreUnavailable, and then nothing of the change was kept.
   */
  commit(change: Change): Promise<void>

  findSession(id: string): Promise<Session | undefined>
  /** Newest first. The same cost for a hundred sessions and for a hundred thousand. Rejects with InvalidCursor. */
  listSessions(filter: SessionFilter, page: PageRequest): Promise<Page<Session>>
  /** Ids of sessions that still need somebody: pending ones, and those with a message not settled. In id order. */
  unfinishedSessions(): Promise<string[]>
  /** Removes sessions that ended before, with all that is theirs. Returns how many. */
  removeEndedBefore(epochMs: number, limit: number): Promise<number>

  readonly audit: AuditTrail
  /**
   * Removes the audit entries of sessions that were removed and ended before `epochMs`, and leaves a signed tombstone
   * of each, dated `at`. Returns how many sessions.
   */
  removeAuditBefore(epochMs: number, limit: number, at: number): Promise<number>

  /**
   * Rewrites the events, messages and keyed requests of a session whose `erasedAt` is set, and then the file, so that
   * what was there is nowhere in it. Again is harmless.
   */
  erase(sessionId: string, eraser: Eraser): Promise<void>
  /** Ids of sessions whose erasure was begun and may not be done. */
  unfinishedErasures(): Promise<string[]>

  findMessage(sessionId: string, messageId: string): Promise<Message | undefined>
  /** The transcript, in order. Rejects with InvalidCursor. */
  listMessages(sessionId: string, page: PageRequest): Promise<Page<Message>>
  /** `accepted` and `sending` ones, in order. */
  unsettledMessages(sessionId: string): Promise<Message[]>

  findIdempotency(key: string): Promise<IdempotencyRecord | undefined>
  /** For answers that come after their commit. Replaces the record of that key. */
  saveIdempotency(record: IdempotencyRecord): Promise<void>
  removeIdempotency(key: string): Promise<void>

  /** Events of one session after a sequence, in order. */
  eventsOf(sessionId: string, afterSequence: number, limit: number): Promise<JournalEvent[]>
  /** Events of all sessions after a position, in commit order. */
  journal(afterPosition: number, limit: number): Promise<JournalEvent[]>
  /** Where an event stands in the journal; undefined when it is not kept. */
  positionOf(eventId: string): Promise<number | undefined>
  /** The position of the newest event; 0 when there is none. */
  lastPosition(): Promise<number>
  /** Calls `listener` with events as they become durable, in journal order, before `commit` resolves. Returns the way to stop. */
  follow(listener: (events: readonly JournalEvent[]) => void): () => void

  /** A reader's durable note: how far it came and what it knows by then (JSON text). */
  readBookmark(reader: string): Promise<{ position: number; state: string } | undefined>
  writeBookmark(reader: string, position: number, state: string): Promise<void>
  /** Harmless where there is none. */
  removeBookmark(reader: string): Promise<void>

  /**
   * Keeps a count in the place of any other of its name and slot; `count` is asked when it is written, with what else
   * is committed in that turn. With a new slot, those of that name before `forgetBefore` are removed.
   */
  writeTally(tally: Omit<Tally, 'count'>, count: () => number, forgetBefore: number): Promise<void>
  /** All of them, by name, oldest first. */
  tallies(): Promise<Tally[]>

  /** 32 bytes for one purpose that only whoever has the store's key can make; the same after a restart. */
  deriveKey(purpose: string): Buffer

  /** Text that only whoever has the store's key can read again. */
  seal(text: string): string
  /** What was sealed. Throws for anything else. */
  unseal(sealed: string): string

  /** Undefined while writes work; otherwise why not, in one line. */
  trouble(): string | undefined
}
