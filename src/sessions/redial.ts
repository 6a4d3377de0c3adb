/** Decisions about broken streams, as pure functions. */
import type { StreamEnd } from '../genesys/socket.ts'

/** What a bridge does after its connection ended. */
export type AfterEnd =
  /** Not before so long from now, milliseconds. */
  | { kind: 'redial'; notBeforeMs: number }
  /** The guest's token may be the reason: rotate it, then dial again. */
  | { kind: 'refresh' }
  | { kind: 'over'; state: 'closed' | 'failed'; reason: string }

export interface EndContext {
  /** The platform takes the same guest up on a new socket. */
  resumable: boolean
  /** Rotating the token is possible and was not just tried. */
  canRefresh: boolean
  /** How long there has been no open stream, milliseconds. */
  downForMs: number
  /** After longer than this the platform no longer knows the guest, milliseconds; null where it has never let it in. */
  keptForMs: number | null
}

/** So long a guest that was never let in is tried: nothing of it is on the platform to come back to. */
export const newcomerPatienceMs = 5 * 60_000

/** The longest a refusal can ask to wait. */
export const longestPauseMs = 5 * 60_000

/** A connection that held so long counts as sound: what comes after it is a first redial again. */
export const steadyAfterMs = 10_000

export function afterEnd(
  end: Exclude<StreamEnd, { by: 'us' }>,
  { resumable, canRefresh, downForMs, keptForMs }: EndContext,
): AfterEnd {
  if (!resumable) return { kind: 'over', state: 'closed', reason: 'stream-lost' }
  const patienceMs = keptForMs ?? newcomerPatienceMs
  if (downForMs > patienceMs) return { kind: 'over', state: 'failed', reason: 'stream-lost' }
  if (end.by !== 'refusal') return { kind: 'redial', notBeforeMs: 0 }
  if (!isFinal(end.status)) {
    return { kind: 'redial', notBeforeMs: Math.min(end.retryAfterMs ?? 0, longestPauseMs) }
  }
  if (canRefresh && (end.status === 401 || end.status === 403)) return { kind: 'refresh' }
  const reason = `the platform refused the stream (${end.status})`
  return { kind: 'over', state: 'failed', reason }
}

/** Why a stream was lost, without the platform's words: they may repeat the guest's. */
export function lossReason(end: Exclude<StreamEnd, { by: 'us' }>): string {
  if (end.by === 'platform') return `the platform closed it (${end.code})`
  return end.by === 'refusal' ? `the platform refused it (${end.status})` : end.detail
}

/** Too slow, too early, too often: said of this one try, and by what stands before the platform, too. */
const passing = [408, 425, 429]

/** A refusal that would be repeated. */
function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && !passing.includes(status)
}

/** Full jitter, from a quarter of a second, doubling to a minute. The first redial is nearly at once. */
export function redialDelayMs(attempt: number, random = Math.random): number {
  return 50 + random() * Math.min(60_000, 250 * 2 ** attempt)
}
