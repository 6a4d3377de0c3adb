import type { ErrorCode } from '../errors.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Attachment, Author } from '../sessions/message.ts'
import type { Consent, DialectName, Guest, Routing } from '../sessions/session.ts'
import type { Trace } from '../trace.ts'
import type { InboundMessage, StreamNews } from './stream-news.ts'
import type { UpstreamGuest } from './upstream-guest.ts'

export type { InboundMessage, StreamNews, UpstreamGuest }

/**
 * The port every Genesys surface implements. A dialect does no I/O and keeps no state: it describes requests and
 * frames and reads answers. Adding one adds a file under dialects/ and a line to dialects/index.ts.
 */
export interface Dialect {
  readonly name: DialectName
  /** OAuth scopes asked for with the token; empty where the platform knows the guest without one. */
  readonly scopes: readonly string[]
  readonly capabilities: Capabilities
  /** Settings it cannot do without, by their names. */
  readonly needs: readonly (keyof DialectSettings)[]
  /** Makes the guest by a call, or `local` where the first frame on the stream makes it. */
  readonly createGuest:
    | {
        request(input: NewGuest): UpstreamRequest
        response(answer: UpstreamAnswer, input: NewGuest): CreateOutcome
      }
    | { local(input: NewGuest): UpstreamGuest }
  /** Absent where the platform cannot be asked. */
  readonly guestStatus?: {
    request(guest: UpstreamGuest): UpstreamRequest
    response(answer: UpstreamAnswer): GuestStatus
  }
  /** How messages leave where they leave by REST; absent where they leave as frames of the stream. */
  readonly sendMessage?: {
    request(guest: UpstreamGuest, message: OutboundText): UpstreamRequest
    response(answer: UpstreamAnswer): SendOutcome
  }
  /** Rotates the guest's own token. */
  readonly refreshToken?: {
    request(guest: UpstreamGuest): UpstreamRequest
    response(answer: UpstreamAnswer, guest: UpstreamGuest): RefreshOutcome
  }
  readonly stream?: StreamDialect
}

/** What the operator set for the dialects; null where absent. */
export interface DialectSettings {
  GENESYS_CHANNEL_CONFIG_ID: string | null
  GENESYS_DEPLOYMENT_ID: string | null
  GENESYS_TARGET_QUEUE_ID: string | null
}

/** One WebSocket per guest. Frames are JSON text both ways. */
export interface StreamDialect {
  /** After a drop the same guest can dial again and the conversation goes on. */
  readonly resumable: boolean
  /** For how long without a stream the platform keeps a guest it has let in, milliseconds, where it can be resumed. */
  keptForMs?(guest: UpstreamGuest): number
  /** New connections the platform takes, of all guests together. */
  readonly dialLimit?: { dials: number; windowMs: number }
  /** What the platform takes beside the general pace. Each counts for itself. */
  readonly limits: {
    /** Messages and what goes as one, of one guest, whatever connection they leave on. */
    messages?: FrameLimit
    /** Frames of any kind on one connection. */
    requests?: FrameLimit
    /** Connections of one guest that begin. */
    openings?: FrameLimit
  }
  /** Where to dial, and what to say first. `hosts` are `wss://` origins; `trace` as on frames, where they can carry one. */
  open(guest: UpstreamGuest, hosts: StreamHosts, at: number, trace?: Trace | null): StreamOpening
  /** What a frame means. Anything unknown is `unknown`, never an error. `at`: epoch ms of its arrival. */
  read(frame: Json, guest: UpstreamGuest, at: number): StreamNews[]
  /** When the session ends, epoch ms, if the guest, having spoken at `at`, says nothing more. Absent: speaking moves nothing. */
  livesUntil?(guest: UpstreamGuest, at: number): number
  /** The frame that carries a message, and what its ack will show, where an ack shows anything of ours. */
  message(guest: UpstreamGuest, message: OutboundText): { frame: JsonObject; ackKey: string | null }
  /** How a file goes to the platform before the message that carries it. */
  readonly upload?: {
    /** Asks where to put it. */
    offer(guest: UpstreamGuest, file: OutboundFile): JsonObject
    /** Takes back one that no message carries. */
    remove(guest: UpstreamGuest, id: string): JsonObject
  }
  /** Absent where the guest cannot show that it types. */
  typing?(guest: UpstreamGuest, trace?: Trace | null): JsonObject
  /** More often than so it says nothing new, and the platform may refuse it. */
  readonly typingEveryMs?: number
  /** Frames that end the conversation, sent before the socket is closed. */
  goodbye?(guest: UpstreamGuest, trace?: Trace | null): JsonObject[]
  /** How to learn what was said while no socket was open. */
  readonly history?: {
    /** The frame that asks for the guest's own REST token; the answer is read as `jwt`. */
    ask(guest: UpstreamGuest): JsonObject
    /** Pages from 1, newest first. */
    request(page: number): UpstreamRequest
    /** What the page tells, oldest first, and whether there is an older one; undefined when it cannot be read. */
    response(answer: UpstreamAnswer, at: number): { news: StreamNews[]; more: boolean } | undefined
    /** How many pages may be asked for. */
    limit: HistoryLimit
  }
}

export interface HistoryLimit {
  requests: number
  windowMs: number
}

export interface FrameLimit {
  frames: number
  windowMs: number
}

export interface StreamHosts {
  messaging: string
  webMessaging: string
}

export interface StreamOpening {
  /** Carries credentials: never logged. */
  url: string
  origin: string | null
  frames: JsonObject[]
  /** `opened`: ready once the first frames have left; `frame`: once `ready` has been read. */
  readyWhen: 'opened' | 'frame'
}

export interface Capabilities {
  /** Who a message can be from. The first is the default. */
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

/** What came back when it was not one of the statuses the client deals with itself (401, 403, 408, 429, 5xx). */
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
  /** In the platform's spelling. */
  metadata: JsonObject
  origin: string | null
  settings: DialectSettings
  /** A fresh UUID, for dialects where we name the guest. */
  uuid: string
  /** Epoch ms. */
  at: number
}

export interface OutboundText {
  /** Ours, of the message; of a part of one with its place. Has no colon. */
  id: string
  author: Author
  text: string
  contentType: string
  attachments: readonly Attachment[]
  readReceipt: boolean
  /** Ids of the attachments, where they were uploaded first. */
  uploads: readonly string[]
  /** Epoch ms. */
  at: number
  trace: Trace | null
}

/** A file on its way to the platform; `id` is a UUID of ours. */
export interface OutboundFile {
  id: string
  fileName: string
  contentType: string
  sizeBytes: number
  trace: Trace | null
}

export type CreateOutcome =
  | {
      kind: 'created'
      guest: UpstreamGuest
      state: 'pending' | 'active'
      /** Epoch ms. */
      tokenExpiresAt: number | null
    }
  | Unreadable
  | Rejection

export type RefreshOutcome =
  | { kind: 'refreshed'; guest: UpstreamGuest; tokenExpiresAt: number | null }
  /** The refresh token is spent: the guest is lost. */
  | { kind: 'dead'; detail: string }
  | Unreadable

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
      /** The platform's time, epoch ms. */
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
