import type { ErrorCode, UpstreamSaid } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Trace } from '../trace.ts'

export const authors = ['bot', 'user', 'agent', 'system'] as const
export type Author = (typeof authors)[number]

export const messageStatuses = [
  'accepted',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed',
  'unconfirmed',
] as const
export type MessageStatus = (typeof messageStatuses)[number]

export interface Attachment {
  contentType: string
  url: string
  fileName: string
  sizeBytes: number
}

/** One piece of a text that was split because it was over the platform's size; pieces leave in order. */
export interface MessagePart {
  text: string
  status: 'accepted' | 'sending' | 'sent' | 'failed' | 'unconfirmed'
  upstreamId: string | null
  sentAt: number | null
}

/** Why a message did not arrive, or may not have. */
export interface MessageError {
  code: ErrorCode
  detail: string
  /** Sending it again can help and cannot double it. */
  retryable: boolean
  retryAfterSeconds: number | null
  upstream: UpstreamSaid | null
}

/** One message of a session's transcript, either direction, times in epoch milliseconds. Never mutated. */
export interface Message {
  id: string
  sessionId: string
  /** Place in the transcript, from 1, without gaps. */
  ordinal: number
  direction: 'outbound' | 'inbound'
  author: Author
  text: string
  contentType: string
  attachments: Attachment[]
  readReceipt: boolean
  /** The platform's own content of a message from the other side, where it is more than text. */
  content: Json | null
  status: MessageStatus
  upstreamId: string | null
  /** What the platform calls the delivery state, in its own word. */
  upstreamStatus: string | null
  acceptedAt: number
  sentAt: number | null
  /** From the first byte out to the answer in, of the attempt that succeeded. */
  latencyMs: number | null
  /** Times it left for the platform. */
  attempts: number
  parts: MessagePart[] | null
  error: MessageError | null
  /**
   * `caller`: somebody waits for the answer, so it fails at the deadline. `session`: it was answered 202 and
   * waits as long as its session lives.
   */
  waits: 'caller' | 'session'
  /** Of the request that brought it in, or had it sent again; null for one from the other side. */
  trace: Trace | null
}

/** What a message goes under at the platform; a part with its place, so that what is heard later names the part. */
export function nameOf({ id }: Pick<Message, 'id'>, part: number | null): string {
  return part === null ? id : `${id}.${part}`
}

/** No step follows by itself. */
export function isSettled(message: Pick<Message, 'status'>): boolean {
  return message.status !== 'accepted' && message.status !== 'sending'
}
