/** A guest's session: everything the server knows by one token. */
import type { Conversation } from '../../conversation.ts'
import { Meter } from '../../sliding-window.ts'
import type { Link } from '../../sockets/link.ts'
import type { ServerFrame } from './frames.ts'
import type { StructuredMessage } from './structured-message.ts'

export interface GuestSession {
  /** The server's own; guests never see it. */
  readonly id: string
  readonly token: string
  readonly deploymentId: string
  /** Null until the guest has said something or joined. */
  conversation: Conversation | null
  unfollow: () => void
  /** What history shows, oldest first. */
  readonly transcript: StructuredMessage[]
  readOnly: boolean
  expired: boolean
  /** Its history can be read by who has a JWT. */
  readable: boolean
  /** Who signed in. */
  user: string | null
  /** Epoch ms; every message of the guest moves it. */
  expiresAt: number
  stopWatchingExpiry: () => void
  /** Configured with this token, oldest first. */
  readonly connections: Connection[]
  readonly attachments: Map<string, Attachment>
  readonly customAttributes: Record<string, string>
  /** Echoes by tracingId, newest last. */
  readonly echoes: Map<string, ServerFrame>
  /** Limits go by token: a fresh session goes on counting. */
  meters: { messages: Meter; configures: Meter; history: Meter; typing: Meter }
}

export interface Attachment {
  readonly id: string
  readonly fileName: string
  readonly fileType: string
  readonly fileSize: number
  /** Part of its addresses. */
  readonly key: string
  state: 'awaited' | 'scanning' | 'uploaded' | 'failed' | 'sent'
  uploadedAt: number | null
  bytes: Buffer | null
}

export type FileFacts = Pick<Attachment, 'id' | 'fileName' | 'fileType' | 'fileSize'>

/** One open socket of a guest. */
export interface Connection {
  readonly link: Link
  /** `host:port` the guest dialled. */
  readonly host: string
  /** As dialled. */
  readonly deploymentId: string
  readonly echoMeter: Meter
  session: GuestSession | null
  push(frame: ServerFrame): void
}

export function emptySession(
  facts: Pick<GuestSession, 'id' | 'token' | 'deploymentId' | 'expiresAt'>,
): GuestSession {
  return {
    ...facts,
    conversation: null,
    unfollow: () => undefined,
    transcript: [],
    readOnly: false,
    expired: false,
    readable: true,
    user: null,
    stopWatchingExpiry: () => undefined,
    connections: [],
    attachments: new Map(),
    customAttributes: {},
    echoes: new Map(),
    meters: {
      messages: new Meter(),
      configures: new Meter(),
      history: new Meter(),
      typing: new Meter(),
    },
  }
}
