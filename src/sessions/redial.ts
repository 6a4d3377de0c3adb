/** Decisions about broken streams, as pure functions. */
import type { StreamEnd } from '../genesys/socket.ts'

/** What a bridge does after its connection ended. */
export type AfterEnd =
  | { kind: 'redial' }
  /** The guest's token may be the reason: rotate it, then dial again. */
  | { kind: 'refresh' }
  | { kind: 'over'; state: 'closed' | 'failed'; reason: string }

export interface EndContext {
  /** The platform takes the same guest up again on a new socket. */
  resumable: boolean
  /** Rotating the token is possible and was not just tried. */
  canRefresh: boolean
  /** How long there has been no open stream, milliseconds. */
  downForMs: number
}

/** Longer than this without a stream, and the session has failed. */
export const givesUpAfterMs = 5 * 60_000

export function afterEnd(
  end: Exclude<StreamEnd, { by: 'us' }>,
  { resumable, canRefresh, downForMs }: EndContext,
): AfterEnd {
  if (!resumable) return { kind: 'over', state: 'closed', reason: 'stream-lost' }
  if (end.by === 'refusal' && (end.status === 401 || end.status === 403)) {
    if (canRefresh) return { kind: 'refresh' }
    return {
      kind: 'over',
      state: 'failed',
      reason: `the platform refused the stream (${end.status})`,
    }
  }
  if (end.by === 'refusal' && end.status >= 400 && end.status < 500 && end.status !== 429) {
    return {
      kind: 'over',
      state: 'failed',
      reason: `the platform refused the stream (${end.status})`,
    }
  }
  if (downForMs > givesUpAfterMs) return { kind: 'over', state: 'failed', reason: 'stream-lost' }
  return { kind: 'redial' }
}

/** Full jitter, from a quarter of a second, doubling to fifteen. The first redial is nearly at once. */
export function redialDelayMs(attempt: number, random = Math.random): number {
  return 50 + random() * Math.min(15_000, 250 * 2 ** attempt)
}
