/** How a destination's progress goes on: each step makes a new one. */
import type { JournalEvent } from '../sessions/events.ts'
import type { Receipt } from './receiver.ts'
import { askedDelayMs, retryDelayMs } from './retry-times.ts'
import type { DeadLetter, Progress } from './webhook.ts'

const keptAttempts = 200
const keptDeadLetters = 1000

/** One that begins after `position`. */
export function progressFrom(position: number): Progress {
  return { position, failing: null, attempts: [], deadLetters: [] }
}

/** What is being retried, if it is this event. */
export function failureOf({ failing }: Progress, event: JournalEvent): Progress['failing'] {
  return failing?.eventId === event.id ? failing : null
}

/** The event was delivered, given up, or nobody wants it. */
export function advanced(progress: Progress, { position }: JournalEvent): Progress {
  return { ...progress, position, failing: null }
}

/** An event was tried for the `attempt`th time; epoch ms `at`. */
export function withAttempt(
  progress: Progress,
  { id: eventId, type }: JournalEvent,
  receipt: Receipt,
  { at, durationMs, attempt }: { at: number; durationMs: number; attempt: number },
): Progress {
  const status = receipt.kind === 'answered' ? receipt.status : null
  const error = receipt.kind === 'unanswered' ? receipt.error : null
  const noted = { eventId, type, at, status, error, durationMs, attempt }
  return { ...progress, attempts: [...progress.attempts.slice(1 - keptAttempts), noted] }
}

/** So many tries of the event failed: it waits for the next, or is a dead letter and the journal goes on. */
export function afterFailure(
  progress: Progress,
  event: JournalEvent,
  receipt: Receipt,
  attempts: number,
  now: number,
): { progress: Progress; deadLetter: DeadLetter | null } {
  const delay = retryDelayMs(attempts)
  if (delay !== undefined) {
    const asked = receipt.kind === 'answered' ? askedDelayMs(receipt.retryAfter, now) : 0
    const since = failureOf(progress, event)?.since ?? now
    const nextAt = now + Math.max(delay, asked)
    const failing = { eventId: event.id, attempts, since, nextAt }
    return { progress: { ...progress, failing }, deadLetter: null }
  }
  const { id: eventId, type, position } = event
  const error = receipt.kind === 'answered' ? `answered ${receipt.status}` : receipt.error
  const deadLetter = { eventId, type, position, at: now, attempts, error }
  const deadLetters = [...progress.deadLetters.slice(1 - keptDeadLetters), deadLetter]
  return { progress: { ...advanced(progress, event), deadLetters }, deadLetter }
}
