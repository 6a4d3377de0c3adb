/**
 * Takes one message to the platform, once, and says what became of it. Two commits frame the flight: `sending` before
 * the bytes leave, so that a crash cannot make us forget that they may have, and the outcome after.
 */
import type { Clock } from '../clock.ts'
import { GatewayError, UpstreamError } from '../errors.ts'
import type { Dialect, OutboundText, SendOutcome } from '../genesys/dialect.ts'
import type { Caller } from './caller.ts'
import type { Carry, Flight } from './carrier.ts'
import { type Message, type MessagePart, nameOf } from './message.ts'
import type { SessionRegistry } from './registry.ts'
import { checkOpen, type Session } from './session.ts'
import { askedBy, type Cause, noted, type Step, sent } from './steps.ts'

export type Delivered =
  /** Taken by the platform, and committed so. */
  | { kind: 'sent' }
  /** The guest is still being routed; nothing was taken. */
  | { kind: 'not-ready'; message: Message }
  /** It did not arrive. */
  | { kind: 'refused'; message: Message; error: GatewayError }
  /** It may have arrived. */
  | { kind: 'unknown'; message: Message; error: GatewayError }

export interface DeliveryDeps {
  registry: SessionRegistry
  carry: Carry
  clock: Clock
  dialectOf(session: Session): Dialect
  /** Aborts waiting for a turn; what has left is waited for. */
  signal: AbortSignal
  queued?: Flight['queued']
  /** Told how long a message was in line, milliseconds, when it is about to leave for the first time. */
  onLeaving(waitedMs: number): void
  /** Commits what has happened. It cannot be undone, so this does not give up while the store has trouble. */
  record(message: Message, caller: Caller, step: MessageStep): Promise<void>
}

export type MessageStep = (session: Session, message: Message, cause: Cause) => Step

/** Sends the parts of `message` that have not been sent, in order, by `deadline` (epoch ms). */
export async function deliver(
  deps: DeliveryDeps,
  first: Message,
  caller: Caller,
  deadline: number,
): Promise<Delivered> {
  const { registry, clock } = deps
  let message = first
  const record = (step: MessageStep, next: Message) => {
    message = next
    return deps.record(next, caller, step)
  }

  for (const piece of pieces(message)) {
    const session = registry.peek(message.sessionId) ?? (await registry.get(message.sessionId))
    let answered: SendOutcome
    try {
      const text = outboundText(message, piece, clock.now(), caller)
      const landed = await deps.carry(deps.dialectOf(session), session, text, {
        deadline,
        signal: deps.signal,
        caller,
        leaving: async () => {
          const next = withPiece(leaving(message), piece, { status: 'sending' })
          const cause = askedBy(caller, clock.now())
          await registry.change(next.sessionId, (current) => {
            checkOpen(current)
            return noted(current, next, cause)
          })
          message = next
          if (next.attempts === 1) deps.onLeaving(cause.at - next.acceptedAt)
        },
        returned: () => record(noted, inLine(message)),
        queued: deps.queued,
      })
      answered = landed.outcome
      message = { ...message, latencyMs: (message.latencyMs ?? 0) + Math.round(landed.latencyMs) }
    } catch (error) {
      if (!(error instanceof GatewayError)) {
        // A fault of ours, with the message gone: whoever tries again sends it twice.
        if (isOut(message)) return { kind: 'unknown', message, error: notUnderstood(error) }
        throw error
      }
      const arrived = error instanceof UpstreamError && error.fate === 'unknown'
      if (arrived) return { kind: 'unknown', message, error }
      return { kind: 'refused', message: inLine(message), error }
    }

    if (answered.kind === 'not-ready') {
      await record(noted, { ...inLine(message), latencyMs: null })
      return { kind: 'not-ready', message }
    }
    if (answered.kind === 'rejected') {
      const { code, detail, platform } = answered
      return {
        kind: 'refused',
        message,
        error: new GatewayError(code, detail, { upstream: platform }),
      }
    }
    if (answered.kind === 'unreadable') {
      const error = new GatewayError('upstream-invalid-response', answered.detail)
      return { kind: 'unknown', message, error }
    }
    const sentAt = answered.sentAt ?? clock.now()
    const { upstreamId, upstreamStatus } = answered
    const landed = withPiece(message, piece, { status: 'sent', upstreamId, sentAt })
    const next: Message = {
      ...landed,
      upstreamId: landed.upstreamId ?? upstreamId,
      upstreamStatus,
      sentAt,
      status: piece.last ? 'sent' : 'sending',
    }
    await record(piece.last ? sent : noted, next)
  }
  return { kind: 'sent' }
}

interface Piece {
  /** Place among the parts; null for a message in one piece. */
  index: number | null
  text: string
  last: boolean
}

function pieces(message: Message): Piece[] {
  const { parts } = message
  if (!parts) return [{ index: null, text: message.text, last: true }]
  return parts
    .map((part, index) => ({ index, text: part.text, last: index === parts.length - 1 }))
    .filter(({ index }) => parts[index]?.status !== 'sent')
}

function leaving(message: Message): Message {
  return { ...message, status: 'sending', attempts: message.attempts + 1 }
}

/** It, or a part of it, has left and nobody knows yet what became of it. */
export function isOut({ status, parts }: Message): boolean {
  if (status !== 'sending') return false
  return parts === null || parts.some((part) => part.status === 'sending')
}

/** Back in line: what was on its way did not arrive. */
function inLine(message: Message): Message {
  const parts = message.parts?.map((part): MessagePart => {
    return part.status === 'sending' ? { ...part, status: 'accepted' } : part
  })
  return { ...message, status: 'accepted', parts: parts ?? null }
}

function notUnderstood(cause: unknown): GatewayError {
  const detail = 'The answer could not be handled; the message may have arrived'
  return new GatewayError('upstream-invalid-response', detail, { cause })
}

function withPiece(message: Message, { index }: Piece, patch: Partial<MessagePart>): Message {
  if (index === null || !message.parts) return message
  const parts = message.parts.map((part, at) => (at === index ? { ...part, ...patch } : part))
  return { ...message, parts }
}

function outboundText(
  message: Message,
  { index, text }: Piece,
  at: number,
  { trace }: Caller,
): OutboundText {
  const id = nameOf(message, index)
  const { author, contentType, attachments, readReceipt } = message
  return { id, author, text, contentType, attachments, readReceipt, uploads: [], at, trace }
}
