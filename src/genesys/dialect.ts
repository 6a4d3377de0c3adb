import type { ErrorCode } from '../errors.ts'
import type { JsonObject } from '../json.ts'
import type { Attachment, Author } from '../sessions/message.ts'
import type { Consent, DialectName, Guest, Routing } from '../sessions/session.ts'

/**
 * The port every Genesys surface implements. A dialect does no I/O and keeps no state: it describes requests and
 * reads answers. Adding one adds a file under dialects/ and a line to dialects/index.ts.
 */
export interface Dialect {
  readonly name: DialectName
  /** OAuth scopes asked for with the token. */
  readonly scopes: readonly string[]
  readonly capabilities: Capabilities
  readonly createGuest: {
    request(input: NewGuest): UpstreamRequest
    response(answer: UpstreamAnswer, input: NewGuest): CreateOutcome
  }
  /** Absent where the platform cannot be asked. */
  readonly guestStatus?: {
    request(guest: UpstreamGuest): UpstreamRequest
    response(answer: UpstreamAnswer): GuestStatus
  }
  readonly sendMessage: {
    request(guest: UpstreamGuest, message: OutboundText): UpstreamRequest
    response(answer: UpstreamAnswer): SendOutcome
  }
}

export interface Capabilities {
  /** Who a message can be from. */
  authors: readonly Author[]
  attachments: boolean
  readReceipts: boolean
  typing: boolean
  /** The guest's own token can be rotated. */
  tokenRefresh: boolean
  /** Closing a session here also ends it on the platform. */
  closesUpstream: boolean
  /** Messages from the other side arrive. */
  receives: boolean
  transport: 'rest' | 'websocket'
  consent: boolean
}

/** One REST call to the platform. */
export interface UpstreamRequest {
  /** For logs, metrics and error texts. */
  operation: string
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Path and query on the API host. */
  path: string
  body?: JsonObject
  scopes: readonly string[]
  /** It may be made again although the first may have been acted on. */
  repeatable: boolean
}

/** What came back when it was not one of the statuses the client deals with itself (401, 403, 429, 5xx). */
export interface UpstreamAnswer {
  status: number
  /** Parsed JSON; undefined when the body was empty or not JSON. */
  body: unknown
  /** There was a body and it was not JSON. */
  malformed: boolean
}

export interface NewGuest {
  guest: Guest
  routing: Routing
  region: string | null
  consent: Consent | null
  metadata: JsonObject
  origin: string | null
  /** Epoch ms. */
  at: number
}

/** What the platform knows the guest by. */
export interface UpstreamGuest {
  guestId: string
  conversationId: string | null
  upstream: JsonObject
  secrets: JsonObject | null
}

export interface OutboundText {
  id: string
  author: Author
  text: string
  contentType: string
  attachments: readonly Attachment[]
  readReceipt: boolean
  /** Epoch ms. */
  at: number
}

export type CreateOutcome =
  | {
      kind: 'created'
      guest: UpstreamGuest
      state: 'pending' | 'active'
      tokenExpiresAt: number | null
    }
  | Unreadable
  | Rejection

export type GuestStatus =
  | { kind: 'waiting'; reported: string | null }
  | { kind: 'active' }
  /** Over on the platform; `reported` in its own word. */
  | { kind: 'over'; reported: string }
  /** The platform does not answer this question here; do not ask again. */
  | { kind: 'unanswerable' }

export type SendOutcome =
  | {
      kind: 'sent'
      upstreamId: string | null
      upstreamStatus: string | null
      sentAt: number | null
    }
  /** The guest is still being routed. Not taken; try later. */
  | { kind: 'not-ready' }
  | Unreadable
  | Rejection

/** A success status with an answer that cannot be read: the request may have been acted on. */
export interface Unreadable {
  kind: 'unreadable'
  detail: string
}

/** The platform understood and said no. The same request would be refused again. */
export interface Rejection {
  kind: 'rejected'
  code: ErrorCode
  detail: string
  platform: {
    status: number
    code: string | null
    message: string | null
    contextId: string | null
  }
}
