/** What callers see of sessions, messages and events: the shapes of the public contract, and nothing secret. */
import { traceHeaders } from '../trace.ts'
import { eventTrace, type JournalEvent } from './events.ts'
import type { Message } from './message.ts'
import type { Session } from './session.ts'

/** The last ones made: what happens together is stamped alike, and each stamp is written several times. */
const recentTimes = Array.from({ length: 8 }, () => ({
  epochMs: 0,
  text: new Date(0).toISOString(),
}))

function time(epochMs: number): string {
  const slot = epochMs & 7
  const known = recentTimes[slot]
  if (known?.epochMs === epochMs) return known.text
  const text = new Date(epochMs).toISOString()
  recentTimes[slot] = { epochMs, text }
  return text
}
const timeOrNull = (epochMs: number | null) => (epochMs === null ? null : time(epochMs))

export function publicSession(session: Session) {
  return {
    id: session.id,
    dialect: session.dialect,
    state: session.state,
    guestId: session.guestId,
    conversationId: session.conversationId,
    guest: session.guest,
    routing: session.routing,
    region: session.region,
    consent: session.consent && {
      ...session.consent,
      recordedAt: time(session.consent.recordedAt),
    },
    metadata: session.metadata,
    createdAt: time(session.createdAt),
    activatedAt: timeOrNull(session.activatedAt),
    closedAt: timeOrNull(session.closedAt),
    tokenExpiresAt: timeOrNull(session.tokenExpiresAt),
    lastActivityAt: time(session.lastActivityAt),
    messages: session.messages,
    stream: session.stream,
    latencyMs: session.latencyMs,
    closeReason: session.closeReason,
  }
}

/** The same as JSON text. */
export function sessionText(session: Session): string {
  return JSON.stringify(publicSession(session))
}
export type PublicSession = ReturnType<typeof publicSession>

export function publicMessage(message: Message) {
  return {
    id: message.id,
    sessionId: message.sessionId,
    direction: message.direction,
    author: message.author,
    text: message.text,
    contentType: message.contentType,
    attachments: message.attachments,
    // Only messages from the platform have any.
    ...(message.content !== null && { content: message.content }),
    status: message.status,
    upstreamId: message.upstreamId,
    upstreamStatus: message.upstreamStatus,
    acceptedAt: time(message.acceptedAt),
    sentAt: timeOrNull(message.sentAt),
    latencyMs: message.latencyMs,
    attempts: message.attempts,
    parts: message.parts?.map((part) => ({ ...part, sentAt: timeOrNull(part.sentAt) })) ?? null,
    error: message.error,
  }
}
export type PublicMessage = ReturnType<typeof publicMessage>

/** Put over the public message and its ordinal it makes the whole one: all that they lack or say in another form. */
export function besidesPublic(message: Message): Partial<Message> {
  const { readReceipt, content, acceptedAt, sentAt, parts, waits, trace } = message
  return {
    readReceipt,
    ...(content === null && { content }),
    acceptedAt,
    ...(sentAt !== null && { sentAt }),
    ...(parts !== null && { parts }),
    waits,
    trace,
  }
}

/**
 * The event as CloudEvents 1.0 JSON text, put together from what is JSON already or needs no escape: `data`, ids, names
 * of types, times.
 */
export function cloudEvent(event: JournalEvent): string {
  const { id, type, sessionId, at, sequence, data } = event
  return (
    `{"specversion":"1.0","id":"${id}","source":"genesys-guest-gateway","type":"${type}",` +
    `"subject":"${sessionId}","time":"${time(at)}","sequence":${sequence},` +
    `"datacontenttype":"application/json"${tracing(event)},"data":${data}}`
  )
}

/** CloudEvents' Distributed Tracing extension: where the trace stood when it happened, on whatever way it goes. */
function tracing(event: JournalEvent): string {
  const trace = eventTrace(event)
  return trace ? `,${JSON.stringify(traceHeaders(trace)).slice(1, -1)}` : ''
}
