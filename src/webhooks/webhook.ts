/** Where events are delivered to, and how far each place has got. */
import type { EventType } from '../sessions/events.ts'

export const webhookFormats = ['cloudevents', 'analytics'] as const
export type WebhookFormat = (typeof webhookFormats)[number]

export interface Webhook {
  /** `whk_…` */
  id: string
  url: string
  /** Empty for all. */
  eventTypes: EventType[]
  format: WebhookFormat
  /** Sent with every delivery, beside our own. */
  headers: Record<string, string>
  /** The API key its receiver calls us with: what that key caused is delivered with a loop marker. Null when unknown. */
  apiKeyName: string | null
  /** Epoch ms. */
  createdAt: number
  /** How often its secret was rotated: each secret is made from the store's key and this number. */
  secretGeneration: number
  /** Epoch ms until which the secret before is used too; null when there is none. */
  previousSecretUntil: number | null
  /** Set by the receiver's 410; deliveries stop until a replay. */
  disabledReason: string | null
  /** Named in the settings rather than by API. */
  fromSettings: boolean
}

/** One try to deliver one event. */
export interface Attempt {
  eventId: string
  type: EventType
  /** Epoch ms. */
  at: number
  /** Null when no answer came. */
  status: number | null
  error: string | null
  durationMs: number
  attempt: number
}

/** An event that was given up on. */
export interface DeadLetter {
  eventId: string
  type: EventType
  position: number
  /** Epoch ms. */
  at: number
  attempts: number
  error: string
}

/** What a destination remembers between processes. */
export interface Progress {
  /** Place in the journal up to which everything was delivered or given up. */
  position: number
  /** Of the event that is next, while it fails. */
  failing: { eventId: string; attempts: number; since: number; nextAt: number } | null
  /** Newest last, bounded. */
  attempts: Attempt[]
  /** Newest last, bounded. */
  deadLetters: DeadLetter[]
}
