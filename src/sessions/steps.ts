/**
 * What can happen to a session, as pure functions: the session before in, one atomic step out. A step is the session
 * after, the facts that go into the journal, and the messages that changed. Nothing here waits, sends or stores.
 */
import { type Trace, traceText } from '../trace.ts'
import type { AuditNote } from './audit-entry.ts'
import { activatedNote, createdNotes, endedNote, transmittedNote } from './audit-notes.ts'
import type { Caller } from './caller.ts'
import type { EventType, NewEvent } from './events.ts'
import { newId } from './ids.ts'
import type { Message, MessageError, MessagePart } from './message.ts'
import { moveTo, type Session } from './session.ts'
import { besidesPublic, publicMessage, publicSession } from './views.ts'

export interface Step {
  session: Session
  events: NewEvent[]
  messages: Message[]
  /** What the audit says of it. */
  audit?: AuditNote[]
}

/** When it happened and who made it happen. */
export interface Cause {
  at: number
  /** Name of the API key; null for the gateway and the platform. */
  actor: string | null
  /** What it is part of; null for what no request led to. */
  trace: Trace | null
}

/** Nobody asked for it: the gateway or the platform did it, `trace` being what it is part of all the same. */
export function byItself(at: number, trace: Trace | null = null): Cause {
  return { at, actor: null, trace }
}

export function askedBy({ name, trace }: Pick<Caller, 'name' | 'trace'>, at: number): Cause {
  return { at, actor: name, trace }
}

export type Patch = Partial<Session>

/** The first step of a session. `first` is complete but for version and sequence. */
export function created(first: Session, cause: Cause): Step {
  const types: EventType[] =
    first.state === 'active' ? ['session.created', 'session.activated'] : ['session.created']
  const session = { ...first, version: 1, sequence: types.length }
  const events = types.map((type) => sessionEvent(type, session, cause))
  return { session, events, messages: [], audit: createdNotes(session, cause) }
}

export function activated(before: Session, cause: Cause): Step {
  const session = next(before, cause, 1, activation(before, cause.at))
  const events = [sessionEvent('session.activated', session, cause)]
  return { session, events, messages: [], audit: [activatedNote(session, cause)] }
}

export function ended(
  before: Session,
  state: 'closed' | 'expired' | 'failed',
  reason: string,
  cause: Cause,
): Step {
  const session = next(before, cause, 1, {
    state: moveTo(before, state),
    closedAt: cause.at,
    closeReason: reason,
    secrets: null,
    stream: { ...before.stream, state: before.stream.state === 'none' ? 'none' : 'closed' },
  })
  const events = [sessionEvent(`session.${state}`, session, cause)]
  return { session, events, messages: [], audit: [endedNote(session, state, cause)] }
}

export function closed(before: Session, cause: Cause): Step {
  return ended(before, 'closed', 'closed by the caller', cause)
}

/** Takes a message into the transcript; `message.ordinal` must be the session's next. */
export function accepted(before: Session, message: Message, cause: Cause): Step {
  const session = next(before, cause, 1, {
    lastOrdinal: message.ordinal,
    messages: { ...before.messages, outbound: before.messages.outbound + 1 },
  })
  return {
    session,
    events: [firstEvent('message.accepted', message, cause)],
    messages: [message],
  }
}

/** Puts a message that did not arrive back in line. */
export function acceptedAgain(before: Session, message: Message, cause: Cause): Step {
  const failed = before.messages.failed - (message.status === 'failed' ? 1 : 0)
  const again: Message = {
    ...message,
    status: 'accepted',
    error: null,
    acceptedAt: cause.at,
    parts: message.parts?.map(waitingUnlessSent) ?? null,
  }
  const session = next(before, cause, 1, { messages: { ...before.messages, failed } })
  return { session, events: [messageEvent('message.accepted', again, cause)], messages: [again] }
}

/** The state of a message in flight, or back from a flight that did not reach anyone. No news for callers. */
export function noted(before: Session, message: Message, cause: Cause): Step {
  const session = { ...before, version: before.version + 1, lastActivityAt: cause.at }
  return { session, events: [], messages: [message] }
}

/** It was taken by the platform; a session that was still pending is active by that. */
export function sent(before: Session, message: Message, cause: Cause): Step {
  const activates = before.state === 'pending'
  const session = next(
    before,
    cause,
    activates ? 2 : 1,
    activates ? activation(before, cause.at) : {},
  )
  const events = [messageEvent('message.sent', message, cause)]
  const audit = [transmittedNote(session, message, cause)]
  if (activates) {
    events.unshift(sessionEvent('session.activated', session, cause))
    audit.unshift(activatedNote(session, cause))
  }
  return { session, events, messages: [message], audit }
}

export function failed(before: Session, message: Message, error: MessageError, cause: Cause): Step {
  const final: Message = { ...message, status: 'failed', error, parts: partsAtTheEnd(message) }
  const session = next(before, cause, 1, {
    messages: { ...before.messages, failed: before.messages.failed + 1 },
  })
  const events = [messageEvent('message.failed', final, cause)]
  return { session, events, messages: [final], audit: [transmittedNote(session, final, cause)] }
}

/** Its bytes left and nobody can say whether they arrived. */
export function unconfirmed(
  before: Session,
  message: Message,
  error: MessageError,
  cause: Cause,
): Step {
  const parts = partsAtTheEnd(message, 'unconfirmed')
  const final: Message = { ...message, status: 'unconfirmed', error, parts }
  const session = next(before, cause, 1, {})
  const events = [messageEvent('message.unconfirmed', final, cause)]
  return { session, events, messages: [final], audit: [transmittedNote(session, final, cause)] }
}

/** The session after `facts` events, with what else became known. For the files of steps only. */
export function next(before: Session, cause: Cause, facts: number, patch: Patch): Session {
  return {
    ...before,
    ...patch,
    version: before.version + 1,
    sequence: before.sequence + facts,
    lastActivityAt: cause.at,
  }
}

export function activation(before: Session, at: number): Patch {
  return {
    state: moveTo(before, 'active'),
    activatedAt: at,
    latencyMs: { ...before.latencyMs, activate: at - before.createdAt },
  }
}

function waitingUnlessSent(part: MessagePart): MessagePart {
  return part.status === 'sent' ? part : { ...part, status: 'accepted' }
}

/** Nothing more of the message leaves: `inFlight` is what became of the part that was, and the rest did not arrive. */
function partsAtTheEnd(
  { parts }: Message,
  inFlight: 'failed' | 'unconfirmed' = 'failed',
): MessagePart[] | null {
  const end = (part: MessagePart): MessagePart => ({
    ...part,
    status: part.status === 'sending' ? inFlight : 'failed',
  })
  return parts?.map((part) => (part.status === 'sent' ? part : end(part))) ?? null
}

export function sessionEvent(type: EventType, session: Session, cause: Cause): NewEvent {
  const data = JSON.stringify(publicSession(session))
  return { id: newId('evt'), type, messageId: null, ordinal: null, data, ...origin(cause) }
}

export function messageEvent(type: EventType, message: Message, cause: Cause): NewEvent {
  const data = JSON.stringify(publicMessage(message))
  return { id: newId('evt'), type, messageId: message.id, ordinal: null, data, ...origin(cause) }
}

/** The event that puts a message into the transcript. */
export function firstEvent(
  type: 'message.accepted' | 'message.received',
  message: Message,
  cause: Cause,
): NewEvent {
  const { ordinal } = message
  const tells = { message, besides: besidesPublic(message) }
  return { ...messageEvent(type, message, cause), ordinal, tells }
}

function origin({ at, actor, trace }: Cause) {
  return { at, actor, trace: trace && traceText(trace) }
}
