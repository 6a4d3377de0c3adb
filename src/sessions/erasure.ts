/**
 * What is left of sessions, messages and events once what the guest is and said is taken out of them: the same shapes,
 * so that answers, replays and webhooks stay what they are described as.
 */
import { erasedNote } from './audit-notes.ts'
import { plainReason } from './close-reasons.ts'
import type { NewEvent } from './events.ts'
import type { Attachment, Message, MessageError, MessagePart } from './message.ts'
import type { Guest, Session } from './session.ts'
import { type Cause, closed, type Step } from './steps.ts'
import type { PublicMessage, PublicSession } from './views.ts'

const erasedText = '[erased]'

const nobody: Guest = { id: null, name: erasedText, email: null, locale: null, attributes: {} }

/** Takes the guest out of a session that is over. Nothing more of it is kept from then on. */
export function erased(before: Session, cause: Cause): Step {
  const session: Session = {
    ...before,
    ...withoutGuest(before),
    upstream: {},
    secrets: null,
    version: before.version + 1,
    erasedAt: cause.at,
  }
  return { session, events: [], messages: [], audit: [erasedNote(session, cause)] }
}

/** The same of one that is not over, and its end, in one: so not even its end tells of the guest once more. */
export function closedAndErased(before: Session, cause: Cause): Step {
  const end = closed(before, cause)
  const { session, audit = [] } = erased(end.session, cause)
  return erasedStep({
    session: { ...session, version: end.session.version },
    events: end.events,
    messages: [],
    audit: [...(end.audit ?? []), ...audit],
  })
}

/** A message without what was said. */
export function erasedMessage(message: Message): Message {
  const { attachments, parts, error } = message
  return {
    ...message,
    text: '',
    attachments: attachments.map(erasedAttachment),
    content: null,
    parts: parts?.map((part): MessagePart => ({ ...part, text: '' })) ?? null,
    error: error && erasedError(error),
  }
}

/** The `data` of an event, JSON text, without the guest and what was said. */
export function erasedData(data: string): string {
  const value = JSON.parse(data) as PublicSession | PublicMessage
  if ('guest' in value) return JSON.stringify({ ...value, ...withoutGuest(value) })
  const { attachments, parts, error, content: _, ...rest } = value
  return JSON.stringify({
    ...rest,
    text: '',
    attachments: attachments.map(erasedAttachment),
    parts: parts?.map((part) => ({ ...part, text: '' })) ?? null,
    error: error && erasedError(error),
  })
}

/** What still becomes known of a session that was erased, such as the outcome of a message that had left before. */
export function erasedStep(step: Step): Step {
  return {
    ...step,
    events: step.events.map(erasedEvent),
    messages: step.messages.map(erasedMessage),
  }
}

function erasedEvent({ tells, ...event }: NewEvent): NewEvent {
  const rest = { ...event, data: erasedData(event.data) }
  if (!tells) return rest
  const message = erasedMessage(tells.message)
  return { ...rest, tells: { message, besides: message } }
}

function withoutGuest({ guest, guestId, closeReason }: Session | PublicSession) {
  return {
    guest: nobody,
    // Where the caller named the guest, the platform's name of it is the caller's.
    guestId: guestId === guest.id ? erasedText : guestId,
    metadata: {},
    closeReason: plainReason(closeReason),
  }
}

/** What it was stays; where it is and how it was called goes. */
function erasedAttachment({ contentType, sizeBytes }: Attachment): Attachment {
  return { contentType, sizeBytes, url: 'https://erased.invalid/', fileName: erasedText }
}

/** The platform's words may repeat the guest's. */
function erasedError(error: MessageError): MessageError {
  const { upstream } = error
  const said = upstream && { ...upstream, message: null }
  return { ...error, detail: erasedText, upstream: said }
}
