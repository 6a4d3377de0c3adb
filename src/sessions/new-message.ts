/** Messages as callers ask for them: what is checked, and what is made of them. */
import { GatewayError } from '../errors.ts'
import type { Dialect } from '../genesys/dialect.ts'
import { newId } from './ids.ts'
import type { Attachment, Author, Message } from './message.ts'
import type { Session } from './session.ts'

/** What a caller wants said, checked in shape. */
export interface NewMessage {
  /** Null for the dialect's own default. */
  author: Author | null
  text: string
  contentType: string
  attachments: Attachment[]
  readReceipt: boolean
  oversize: 'reject' | 'split'
  /** Given when the caller wants it checked against the session's. */
  conversationId: string | null
}

/** The message as it is accepted; `texts` are its parts when there are several. */
export function newMessage(
  session: Session,
  author: Author,
  asked: NewMessage,
  texts: string[],
  waiting: 'wait' | 'async',
  { at, trace }: Pick<Message, 'trace'> & { at: number },
): Message {
  const { text, contentType, attachments, readReceipt } = asked
  const waitingPart = { status: 'accepted', upstreamId: null, sentAt: null } as const
  return {
    id: newId('msg'),
    sessionId: session.id,
    ordinal: session.lastOrdinal + 1,
    direction: 'outbound',
    author,
    text,
    contentType,
    attachments,
    readReceipt,
    content: null,
    status: 'accepted',
    upstreamId: null,
    upstreamStatus: null,
    acceptedAt: at,
    sentAt: null,
    latencyMs: null,
    attempts: 0,
    parts: texts.length === 1 ? null : texts.map((part) => ({ text: part, ...waitingPart })),
    error: null,
    waits: waiting === 'wait' ? 'caller' : 'session',
    trace,
  }
}

/** Throws `conversation-mismatch`. */
export function checkConversation(session: Session, conversationId: string | null): void {
  if (conversationId === null || conversationId === session.conversationId) return
  const detail = `The session's conversation is ${session.conversationId}, not ${conversationId}`
  throw new GatewayError('conversation-mismatch', detail)
}

/** Who it is from. Throws `author-not-supported` or `not-supported-by-dialect`, naming what can be done instead. */
export function authorOf({ name, capabilities }: Dialect, asked: NewMessage): Author {
  const { authors } = capabilities
  const author = asked.author ?? authors[0]
  if (author === undefined || !authors.includes(author)) {
    const detail = `${name} cannot send as ${author}; it can send as ${authors.join(', ')}`
    throw new GatewayError('author-not-supported', detail)
  }
  if (asked.attachments.length > 0 && !capabilities.attachments) {
    throw new GatewayError('not-supported-by-dialect', `${name} cannot send attachments`)
  }
  return author
}
