import type { ErrorCode } from '../errors.ts'
import type { Json } from '../json.ts'
import type { Attachment, Author } from '../sessions/message.ts'
import type { UpstreamGuest } from './upstream-guest.ts'

/** What one frame from the platform says. */
export type StreamNews =
  /**
   * The guest may speak. `patch` is what became known about it. `expiresAt` epoch ms. `isNew`: the platform says that
   * it knew nothing of the guest until now.
   */
  | { kind: 'ready'; patch: Partial<UpstreamGuest>; expiresAt: number | null; isNew: boolean }
  /** A message of ours was taken; `key` as `message` named it, null for the oldest without an ack. */
  | { kind: 'ack'; key: string | null; upstreamId: string | null }
  /** A message of ours was refused. */
  | {
      kind: 'nack'
      key: string | null
      code: ErrorCode
      detail: string
      retryAfterMs: number | null
    }
  | InboundMessage
  | { kind: 'typing' }
  /** Where to PUT a file that was offered, with exactly these headers. */
  | { kind: 'upload-place'; id: string; url: string; headers: Record<string, string> }
  | { kind: 'upload-done'; id: string }
  | { kind: 'upload-refused'; id: string; code: ErrorCode; detail: string }
  /** The guest's own REST token; `expiresAt` epoch ms. */
  | { kind: 'jwt'; jwt: string; expiresAt: number | null }
  /** The platform reports how far a message of ours came. */
  | { kind: 'receipt'; upstreamId: string; status: 'delivered' | 'read' }
  /** Something about the guest that was not known. */
  | { kind: 'learned'; patch: Partial<UpstreamGuest> }
  /** The conversation is over, or another connection took this one's place, with which dialling again would start a fight. */
  | { kind: 'over'; state: 'closed' | 'expired' | 'failed'; reason: string }
  | { kind: 'unknown'; raw: Json }

export interface InboundMessage {
  kind: 'message'
  /** Null where the platform names none; such a message cannot be recognised when it comes twice. */
  upstreamId: string | null
  author: Author
  text: string
  attachments: Attachment[]
  /** The platform's own content, whole, where it is more than text. */
  content: Json | null
  /** The platform's time, epoch ms; null where it gives none. Messages are put in its order. */
  sentAt: number | null
  /** The guest said it, and what should tell whether it was us is missing. */
  mayBeOurs?: true
}
