import { type Trace, traceFrom } from '../trace.ts'
import type { Message } from './message.ts'

/** Everything the journal can hold, named as callers see it. */
export const eventTypes = [
  'session.created',
  'session.activated',
  'session.closed',
  'session.expired',
  'session.failed',
  'session.token_rotated',
  'session.consent_changed',
  'session.stream_opened',
  'session.stream_lost',
  'session.expiring',
  'message.accepted',
  'message.sent',
  'message.delivered',
  'message.read',
  'message.received',
  'message.failed',
  'message.unconfirmed',
] as const
export type EventType = (typeof eventTypes)[number]

const ends: readonly EventType[] = ['session.closed', 'session.expired', 'session.failed']

/** The session is over: after it only what becomes of waiting messages can follow. */
export function isEnd(type: EventType): boolean {
  return ends.includes(type)
}

/** A fact about a session, as it is handed to the store. */
export interface NewEvent {
  /** `evt_…` */
  id: string
  type: EventType
  /** Epoch milliseconds. */
  at: number
  /** The message a `message.*` event is about. */
  messageId: string | null
  /** That message's place in the transcript, on the event that put it there; null on every other. */
  ordinal: number | null
  /** Name of the API key that caused it; null when the gateway or the platform did. */
  actor: string | null
  /** The trace it belongs to: W3C `traceparent`, and after a space `tracestate` where there is one. */
  trace: string | null
  /** JSON text of the event's `data`: the public session or message as it was right after. Made once, sent as it is. */
  data: string
  /** On the event that puts a message into the transcript, which is kept there. */
  tells?: Told
}

/** `data` and `ordinal` with the fields of `besides` put over them are the message. */
export interface Told {
  /** Among those of the same change. */
  message: Message
  besides: Partial<Message>
}

/** What led to the event; null for what nobody asked for. */
export function eventTrace({ trace }: Pick<NewEvent, 'trace'>): Trace | null {
  return trace === null ? null : traceFrom(trace)
}

/** A fact as the journal holds it. */
export interface JournalEvent extends Omit<NewEvent, 'tells'> {
  sessionId: string
  /** Per session, from 1, without gaps. */
  sequence: number
  /** Place in the whole journal: grows with every event, with gaps. */
  position: number
}
