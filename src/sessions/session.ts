import { GatewayError } from '../errors.ts'
import type { JsonObject } from '../json.ts'

export const sessionStates = ['pending', 'active', 'closed', 'expired', 'failed'] as const
export type SessionState = (typeof sessionStates)[number]

export const dialectNames = [
  'external-guests',
  'guest-sessions',
  'conversations',
  'messaging-guests',
  'web-messaging',
] as const
export type DialectName = (typeof dialectNames)[number]

export interface Guest {
  /** The caller's own visitor id, where it gave one. */
  id: string | null
  name: string
  email: string | null
  locale: string | null
  attributes: Record<string, string>
}

export interface Routing {
  queueId: string | null
  priority: number | null
  skills: string[]
}

export interface Consent {
  marketing: boolean
  personalization: boolean
  analytics: boolean
  recordedAt: number
}

export const streamStates = ['none', 'connecting', 'open', 'reconnecting', 'closed'] as const
export type StreamState = (typeof streamStates)[number]

/**
 * One guest session, all times in epoch milliseconds. Never mutated: a change makes a new one, and the store
 * takes it only on top of the `version` it was made from.
 */
export interface Session {
  id: string
  /** Commits so far. */
  version: number
  /** Sequence of the last journal event of this session. */
  sequence: number
  /** Messages so far, both directions; the next one's ordinal is this plus one. */
  lastOrdinal: number
  dialect: DialectName
  state: SessionState
  guestId: string
  conversationId: string | null
  guest: Guest
  routing: Routing
  region: string | null
  consent: Consent | null
  metadata: JsonObject
  /** The `Origin` the upstream socket presents, where the dialect has one. */
  origin: string | null
  createdAt: number
  activatedAt: number | null
  closedAt: number | null
  tokenExpiresAt: number | null
  lastActivityAt: number
  messages: { outbound: number; inbound: number; failed: number }
  stream: { state: StreamState; reconnects: number }
  /** The last ordinal from before the stream was lost, until all that was said since is known; else null or absent. */
  gapAfter?: number | null
  latencyMs: { create: number; activate: number | null }
  closeReason: string | null
  /** When what the guest is and said was taken out; null while it is there. */
  erasedAt: number | null
  /** What the dialect must remember about this guest that is not a secret. */
  upstream: JsonObject
  /** What it must remember that is: guest and refresh tokens. Encrypted at rest, in no event, in no answer. */
  secrets: JsonObject | null
}

export function isOver(session: Pick<Session, 'state'>): boolean {
  return session.state !== 'pending' && session.state !== 'active'
}

/** What to say to those who want more of a session that is over. */
export function sessionOver({ state, closeReason }: Session): GatewayError {
  return new GatewayError('session-closed', `The session is ${state}: ${closeReason}`)
}

/** Throws `session-closed`. */
export function checkOpen(session: Session): void {
  if (isOver(session)) throw sessionOver(session)
}

/** States move forward only; asking for a step back is a bug, so it throws. */
export function moveTo(session: Session, state: SessionState): SessionState {
  const order = { pending: 0, active: 1, closed: 2, expired: 2, failed: 2 } as const
  if (order[state] <= order[session.state]) {
    throw new Error(`session ${session.id} cannot go from ${session.state} to ${state}`)
  }
  return state
}
