/** How sessions, messages, events and idempotency records become rows, and come back. */
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { EventType, JournalEvent, Told } from '../sessions/events.ts'
import type { Message } from '../sessions/message.ts'
import { isOver, type Session } from '../sessions/session.ts'
import type { SecretBox } from './secrets.ts'
import type { IdempotencyRecord } from './store.ts'

export type Row = Record<string, SQLOutputValue>

/** The part of a session that has the table `progress` for itself. */
const inProgress = {
  version: undefined,
  sequence: undefined,
  lastOrdinal: undefined,
  lastActivityAt: undefined,
  messages: undefined,
} satisfies Partial<Record<keyof Session, undefined>>
type InProgress = keyof typeof inProgress
const progressFields: ReadonlySet<string> = new Set(Object.keys(inProgress))

/** What `toSession` needs of `sessions s` and `progress p`. */
export const sessionColumns = 's.key, s.created_at, s.id, s.body, s.secrets, p.*'

/** In the order of the statements in writer.ts. */
export function sessionValues(session: Session, box: SecretBox): SQLInputValue[] {
  const { state, dialect, guestId, conversationId, metadata, secrets } = session
  const externalId = metadata.externalSessionId
  return [
    state,
    dialect,
    guestId,
    conversationId,
    typeof externalId === 'string' ? externalId : null,
    session.createdAt,
    isOver(session) ? (session.closedAt ?? session.lastActivityAt) : null,
    session.erasedAt,
    bodyOf(session),
    secrets && box.seal(JSON.stringify(secrets), session.id),
  ]
}

/** In the order of the table's columns, without the key. */
export function progressValues(session: Session, auditPosition: number | null): (number | null)[] {
  const { version, sequence, lastOrdinal, lastActivityAt, messages } = session
  const { outbound, inbound, failed } = messages
  const counts = [outbound, inbound, failed]
  return [version, sequence, lastOrdinal, lastActivityAt, ...counts, auditPosition]
}

function bodyOf(session: Session): string {
  return JSON.stringify({ ...session, ...inProgress, secrets: undefined })
}

export function toSession(row: Row, box: SecretBox): Session {
  const sealed = row.secrets as Uint8Array | null
  return {
    ...(JSON.parse(row.body as string) as Omit<Session, InProgress | 'secrets'>),
    version: row.version as number,
    sequence: row.sequence as number,
    lastOrdinal: row.last_ordinal as number,
    lastActivityAt: row.last_activity_at as number,
    messages: {
      outbound: row.outbound as number,
      inbound: row.inbound as number,
      failed: row.failed as number,
    },
    secrets: sealed && JSON.parse(box.unseal(sealed, row.id as string)),
  }
}

/**
 * Nothing but progress lies between the two. What is the same object is the same still, because sessions are never
 * mutated; an equal but other object counts as changed, which costs a write and nothing else.
 */
export function sameButProgress(before: Session, after: Session): boolean {
  return sameBut(progressFields, before, after)
}

/** The part of a message that says what becomes of it, in the table `deliveries`. The rest does not change. */
const inDelivery = {
  status: undefined,
  upstreamId: undefined,
  upstreamStatus: undefined,
  acceptedAt: undefined,
  sentAt: undefined,
  latencyMs: undefined,
  attempts: undefined,
  parts: undefined,
  error: undefined,
  waits: undefined,
} satisfies Partial<Record<keyof Message, undefined>>
type InDelivery = keyof typeof inDelivery
const deliveryFields: ReadonlySet<string> = new Set(Object.keys(inDelivery))

/** They say the same; only what became of them differs. */
export function sameButDelivery(before: Message, after: Message): boolean {
  return sameBut(deliveryFields, before, after)
}

function sameBut<T extends object>(fields: ReadonlySet<string>, before: T, after: T): boolean {
  for (const field in after) {
    if (!fields.has(field) && before[field] !== after[field]) return false
  }
  return true
}

/** What `toMessage` needs of `events e`, the event that told it first, and what is joined to it. */
export const messageColumns = 'e.data, e.ordinal, e.besides, d.body AS delivery'
export const messageJoins = 'LEFT JOIN deliveries d ON d.message_position = e.position'

/** Nothing more becomes of what the other side said, so that is a whole in one row. */
export function hasDelivery({ direction }: Message): boolean {
  return direction === 'outbound'
}

/** What its event leaves out of it. */
export function besidesText({ message, besides }: Told): string {
  return JSON.stringify(hasDelivery(message) ? { ...besides, ...inDelivery } : besides)
}

/** The same where its event says something else. */
export function messageText(message: Message): string {
  return besidesText({ message, besides: message })
}

export function deliveryBody(message: Message): string {
  const { status, upstreamId, upstreamStatus, acceptedAt, sentAt, latencyMs } = message
  const { attempts, parts, error, waits } = message
  const delivery: Pick<Message, InDelivery> = {
    status,
    upstreamId,
    upstreamStatus,
    acceptedAt,
    sentAt,
    latencyMs,
    attempts,
    parts,
    error,
    waits,
  }
  return JSON.stringify(delivery)
}

export function toMessage({ data, ordinal, besides, delivery }: Row): Message {
  return { ...parsed(data), ordinal, ...parsed(besides), ...parsed(delivery) } as Message
}

function parsed(json: SQLOutputValue | undefined): object {
  return typeof json === 'string' ? JSON.parse(json) : {}
}

/** What `toEvent` needs of `events e`. */
export const eventColumns =
  'e.position, e.sequence, e.id, e.type, e.at, e.message_id, e.ordinal, e.actor, e.trace, e.data'

export function toEvent(row: Row): JournalEvent {
  return {
    id: row.id as string,
    type: row.type as EventType,
    at: row.at as number,
    messageId: row.message_id as string | null,
    ordinal: row.ordinal as number | null,
    actor: row.actor as string | null,
    trace: row.trace as string | null,
    data: row.data as string,
    sessionId: row.session_id as string,
    sequence: row.sequence as number,
    position: row.position as number,
  }
}

/** From `requests r` and the body of `answers a`. */
export function toRecord(row: Row): IdempotencyRecord {
  return {
    key: row.key as string,
    fingerprint: row.fingerprint as string,
    answer: row.body === null ? null : JSON.parse(row.body as string),
    sessionId: row.session_id as string,
    messageId: row.message_id as string | null,
    expiresAt: row.expires_at as number,
  }
}
