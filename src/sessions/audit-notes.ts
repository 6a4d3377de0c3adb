/** What the audit says of each thing that can happen to a session: facts, and nothing the guest said or is. */
import type { JsonObject } from '../json.ts'
import type { AuditAction, AuditNote } from './audit-entry.ts'
import { plainReason } from './close-reasons.ts'
import type { Message } from './message.ts'
import type { Consent, Session } from './session.ts'

interface Cause {
  at: number
  actor: string | null
}

export function createdNotes(session: Session, cause: Cause): AuditNote[] {
  const { dialect, region, consent, routing, conversationId, metadata, latencyMs } = session
  const created = note('session_created', cause, {
    dialect,
    region,
    consent: consent && flags(consent),
    queueId: routing.queueId,
    conversationId,
    botScore: typeof metadata.botScore === 'number' ? metadata.botScore : null,
    latencyMs: latencyMs.create,
  })
  const given = consent ? [note('consent_given', cause, { region, ...flags(consent) })] : []
  const active = session.state === 'active' ? [activatedNote(session, cause)] : []
  return [created, ...given, ...active]
}

export function activatedNote({ latencyMs }: Session, cause: Cause): AuditNote {
  return note('session_activated', cause, { latencyMs: latencyMs.activate })
}

export function endedNote(session: Session, state: EndState, cause: Cause): AuditNote {
  const { createdAt, messages, closeReason } = session
  const reason = plainReason(closeReason)
  const durationMs = cause.at - createdAt
  return note(`session_${state}`, cause, { reason, durationMs, messages: { ...messages } })
}
type EndState = 'closed' | 'expired' | 'failed'

/** Of a message that left, or will not leave any more. */
export function transmittedNote(session: Session, message: Message, cause: Cause): AuditNote {
  const { id, author, text, contentType, attachments, latencyMs, status, upstreamId } = message
  return note('message_transmitted', cause, {
    messageId: id,
    author,
    conversationId: session.conversationId,
    contentType,
    payloadBytes: Buffer.byteLength(text),
    attachments: attachments.length,
    attempts: message.attempts,
    latencyMs,
    status,
    upstreamId,
    // Not the detail: it repeats the platform's words, and those may repeat the guest's.
    error: message.error?.code ?? null,
  })
}

export function connectedNote({ origin, stream }: Session, cause: Cause): AuditNote {
  return note('websocket_connected', cause, { origin, reconnects: stream.reconnects })
}

export function lostNote({ stream }: Session, cause: Cause): AuditNote {
  return note('websocket_lost', cause, { reconnects: stream.reconnects })
}

export function rotatedNote({ tokenExpiresAt }: Session, cause: Cause): AuditNote {
  const expiresAt = tokenExpiresAt === null ? null : new Date(tokenExpiresAt).toISOString()
  return note('token_rotated', cause, { tokenExpiresAt: expiresAt })
}

export function consentNote(before: Session, consent: Consent, cause: Cause): AuditNote {
  const { region } = before
  const was = before.consent && flags(before.consent)
  return note('consent_changed', cause, { region, ...flags(consent), before: was })
}

export function erasedNote({ sequence, lastOrdinal }: Session, cause: Cause): AuditNote {
  return note('data_erased', cause, { events: sequence, messages: lastOrdinal })
}

function flags({ marketing, personalization, analytics }: Consent) {
  return { marketing, personalization, analytics }
}

function note(action: AuditAction, { at, actor }: Cause, details: JsonObject): AuditNote {
  return { action, at, actor, details }
}
