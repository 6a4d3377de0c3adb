/** What became of a message that was to leave as a frame, in the words of its caller. */
import { passes, UpstreamError } from '../errors.ts'
import type { SendOutcome } from '../genesys/dialect.ts'
import type { FrameFate } from './unacked.ts'

/** Throws UpstreamError where it was not taken, or nobody knows. */
export function outcomeOf(fate: FrameFate, attempts: number, ackTimeoutMs: number): SendOutcome {
  switch (fate.kind) {
    case 'ack':
      return { kind: 'sent', upstreamId: fate.upstreamId, upstreamStatus: null, sentAt: null }
    case 'nack':
      throw new UpstreamError(fate.code, fate.detail, {
        fate: 'refused',
        attempts,
        retryable: passes(fate.code),
        ...(fate.retryAfterMs !== null && { retryAfterMs: fate.retryAfterMs }),
      })
    case 'timeout':
      throw new UpstreamError('upstream-timeout', `No ack came within ${ackTimeoutMs} ms`, {
        fate: 'unknown',
        attempts,
      })
    case 'lost':
      throw new UpstreamError('upstream-error', 'The stream broke before an ack came', {
        fate: 'unknown',
        attempts,
      })
  }
}

export function sessionEnded(attempts: number): UpstreamError {
  const detail = 'The message did not leave: the session is over'
  return new UpstreamError('session-closed', detail, { fate: 'refused', attempts })
}

/** It did not leave because there is no stream: nothing speaks against waiting for one as long as the session lives. */
export class NoStream extends UpstreamError {}

export function didNotLeave(why: string, attempts: number): NoStream {
  return new NoStream('upstream-unavailable', `The message did not leave: ${why}`, {
    fate: 'refused',
    attempts,
    retryable: true,
    retryAfterMs: 2000,
  })
}

/** Where the platform does not say how long to wait. */
export function pauseMs(failures: number): number {
  return 1000 + Math.random() * 500 * 2 ** failures
}
