/** An event as a receiver gets it. */
import type { EventType, JournalEvent } from '../sessions/events.ts'
import { cloudEvent, type PublicMessage, type PublicSession } from '../sessions/views.ts'
import type { Webhook, WebhookFormat } from './webhook.ts'

export interface Payload {
  contentType: string
  /** JSON text. */
  body: string
}

/** Whether a destination is told of events of this type: it wants them, and its format has a word for them. */
export function isToldOf(
  { eventTypes, format }: Pick<Webhook, 'eventTypes' | 'format'>,
  type: EventType,
): boolean {
  if (eventTypes.length > 0 && !eventTypes.includes(type)) return false
  return format !== 'analytics' || type === 'session.created' || type in transmissions
}

/** What to send for an event; undefined when the format has no word for it. */
export function payloadOf(
  event: JournalEvent,
  format: WebhookFormat,
  guestOf: (
    sessionId: string,
  ) => Promise<{ guestId: string; conversationId: string | null } | undefined>,
): Promise<Payload | undefined> | Payload | undefined {
  if (format === 'cloudevents') {
    return { contentType: 'application/cloudevents+json; charset=utf-8', body: cloudEvent(event) }
  }
  return analytics(event, guestOf)
}

/** The flat objects of analytics receivers: `session_started`, and one `message_transmission` per outcome. */
async function analytics(
  event: JournalEvent,
  guestOf: Parameters<typeof payloadOf>[2],
): Promise<Payload | undefined> {
  const timestamp = new Date(event.at).toISOString()
  if (event.type === 'session.created') {
    const session = JSON.parse(event.data) as PublicSession
    return json({
      event: 'session_started',
      timestamp,
      conversation_id: session.conversationId,
      // Who the caller says it is, as the document has it; the platform's name where the caller has none.
      visitor_id: session.guest.id ?? session.guestId,
      latency_ms: session.latencyMs.create,
    })
  }
  const status = transmissions[event.type]
  if (status === undefined) return undefined
  const message = JSON.parse(event.data) as PublicMessage
  const guest = await guestOf(event.sessionId)
  return json({
    event_type: 'message_transmission',
    guest_id: guest?.guestId ?? null,
    conversation_id: guest?.conversationId ?? null,
    status,
    latency_ms: message.latencyMs ?? 0,
    timestamp,
    error: message.error?.detail ?? null,
  })
}

/** The documents know success and failure; what nobody can say for sure keeps its own word. */
const transmissions: Partial<Record<JournalEvent['type'], string>> = {
  'message.sent': 'success',
  'message.failed': 'failed',
  'message.unconfirmed': 'unconfirmed',
}

function json(value: object): Payload {
  return { contentType: 'application/json; charset=utf-8', body: JSON.stringify(value) }
}
