/** What a session's stream brings about, as pure functions like those of steps.ts. */
import type { InboundMessage, UpstreamGuest } from '../genesys/dialect.ts'
import type { AuditNote } from './audit-entry.ts'
import { activatedNote, connectedNote, consentNote, lostNote, rotatedNote } from './audit-notes.ts'
import { forgotten } from './close-reasons.ts'
import type { EventType } from './events.ts'
import { newId } from './ids.ts'
import type { Message } from './message.ts'
import type { Session } from './session.ts'
import {
  activation,
  type Cause,
  ended,
  firstEvent,
  messageEvent,
  next,
  type Patch,
  type Step,
  sessionEvent,
} from './steps.ts'

/**
 * The guest may speak. A pending session is active by that. Where the platform has begun anew with a guest it had let
 * in before, the conversation is gone, and with it the session.
 */
export function streamOpened(
  before: Session,
  known: { patch: Partial<UpstreamGuest>; expiresAt: number | null; isNew: boolean },
  cause: Cause,
): Step {
  if (known.isNew && before.activatedAt !== null) return ended(before, 'expired', forgotten, cause)
  const types: EventType[] = ['session.stream_opened']
  if (before.state === 'pending') types.unshift('session.activated')
  const patch: Patch = {
    ...known.patch,
    ...(known.expiresAt !== null && { tokenExpiresAt: known.expiresAt }),
    ...(before.state === 'pending' && activation(before, cause.at)),
    stream: { ...before.stream, state: 'open' },
  }
  return sessionStep(before, types, cause, patch, (session) => [
    ...(before.state === 'pending' ? [activatedNote(session, cause)] : []),
    connectedNote(session, cause),
  ])
}

/** Something about the guest that was not known; no event tells of it. Undefined where it is known by now. */
export function learned(
  before: Session,
  patch: Partial<UpstreamGuest>,
  cause: Cause,
): Step | undefined {
  if (before.conversationId !== null && patch.conversationId !== undefined) return undefined
  return { session: next(before, cause, 0, patch), events: [], messages: [] }
}

/** The connection broke and is dialled again. From here on something may be missing. */
export function streamLost(before: Session, cause: Cause): Step {
  const { reconnects } = before.stream
  const stream = { state: 'reconnecting', reconnects: reconnects + 1 } as const
  const gapAfter = before.gapAfter ?? before.lastOrdinal
  return sessionStep(before, ['session.stream_lost'], cause, { stream, gapAfter }, (session) => [
    lostNote(session, cause),
  ])
}

/** What was said while there was no stream is in the transcript, as far as it can be. */
export function gapFilled(before: Session, cause: Cause): Step {
  return { session: next(before, cause, 0, { gapAfter: null }), events: [], messages: [] }
}

/** The guest's token was replaced, both parts in one commit. */
export function tokenRotated(
  before: Session,
  guest: UpstreamGuest,
  tokenExpiresAt: number | null,
  cause: Cause,
): Step {
  // Field by field: what comes may be a whole session, older than `before`.
  const { guestId, conversationId, upstream, secrets } = guest
  const patch = { guestId, conversationId, upstream, secrets, tokenExpiresAt }
  return sessionStep(before, ['session.token_rotated'], cause, patch, (session) => [
    rotatedNote(session, cause),
  ])
}

export function expiring(before: Session, cause: Cause): Step {
  return sessionStep(before, ['session.expiring'], cause, {})
}

export function consentChanged(
  before: Session,
  consent: NonNullable<Session['consent']>,
  cause: Cause,
): Step {
  return sessionStep(before, ['session.consent_changed'], cause, { consent }, () => [
    consentNote(before, consent, cause),
  ])
}

/** A message from the other side. */
export function received(before: Session, inbound: InboundMessage, cause: Cause): Step {
  return receivedTogether(before, [inbound], cause)
}

/** Several, in their order, as one step. */
export function receivedTogether(
  before: Session,
  inbound: readonly InboundMessage[],
  cause: Cause,
): Step {
  const messages = inbound.map((each, at) =>
    heard(before, each, before.lastOrdinal + at + 1, cause),
  )
  const events = messages.map((message) => firstEvent('message.received', message, cause))
  const session = next(before, cause, events.length, {
    lastOrdinal: before.lastOrdinal + messages.length,
    messages: { ...before.messages, inbound: before.messages.inbound + messages.length },
  })
  return { session, events, messages }
}

function heard(
  { id: sessionId }: Session,
  { author, text, attachments, content, upstreamId, sentAt }: InboundMessage,
  ordinal: number,
  { at }: Cause,
): Message {
  return {
    id: newId('msg'),
    sessionId,
    ordinal,
    direction: 'inbound',
    author,
    text,
    contentType: 'text/plain',
    attachments,
    readReceipt: false,
    content,
    status: 'delivered',
    upstreamId,
    upstreamStatus: null,
    acceptedAt: at,
    sentAt,
    latencyMs: null,
    attempts: 0,
    parts: null,
    error: null,
    waits: 'session',
    trace: null,
  }
}

/** The platform says how far a message of ours came. */
export function receipt(
  before: Session,
  message: Message,
  status: 'delivered' | 'read',
  cause: Cause,
): Step {
  const after: Message = { ...message, status }
  const session = next(before, cause, 1, {})
  return { session, events: [messageEvent(`message.${status}`, after, cause)], messages: [after] }
}

function sessionStep(
  before: Session,
  types: EventType[],
  cause: Cause,
  patch: Patch,
  audit: (session: Session) => AuditNote[] = () => [],
): Step {
  const session = next(before, cause, types.length, patch)
  const events = types.map((type) => sessionEvent(type, session, cause))
  return { session, events, messages: [], audit: audit(session) }
}
