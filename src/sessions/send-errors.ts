/** What is said of a message that did not arrive, or may not have. */
import { GatewayError } from '../errors.ts'
import type { MessageError } from './message.ts'
import type { Session } from './session.ts'

/** The error as the transcript keeps it. */
export function messageError(error: GatewayError): MessageError {
  const { code, message, retryable, retryAfterMs, upstream } = error
  const retryAfterSeconds = retryAfterMs === undefined ? null : Math.ceil(retryAfterMs / 1000)
  return { code, detail: message, retryable, retryAfterSeconds, upstream: upstream ?? null }
}

/** What to say to a caller whose message did not get its turn in time. It did not leave. */
export function tooLate(
  session: Session | undefined,
  lastRefusal: GatewayError | null,
): GatewayError {
  if (session?.state === 'pending') return notActive('The guest is still being routed')
  if (lastRefusal) return lastRefusal
  return new GatewayError('upstream-timeout', 'Earlier messages of this session still wait', {
    retryable: true,
    retryAfterMs: 5000,
  })
}

/** The platform takes nothing for the guest yet. */
export function notActive(detail: string): GatewayError {
  return new GatewayError('session-not-active', detail, { retryable: true, retryAfterMs: 5000 })
}
