import type { ErrorCode } from '../../errors.ts'

/** Why a message may not go out, whichever route brings it in. */
export const sendFailures = [
  'session-not-found',
  'session-not-active',
  'session-closed',
  'message-too-large',
  'upstream-rejected',
  'upstream-unauthorized',
  'upstream-forbidden',
  'upstream-error',
  'upstream-invalid-response',
  'upstream-unavailable',
  'upstream-timeout',
] as const satisfies ErrorCode[]
