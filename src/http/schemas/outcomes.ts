import type { ErrorCode } from '../../errors.ts'

/** Why the platform may not do what it is asked to. */
export const upstreamFailures = [
  'upstream-rejected',
  'upstream-unauthorized',
  'upstream-forbidden',
  'upstream-error',
  'upstream-invalid-response',
  'upstream-unavailable',
  'upstream-timeout',
] as const satisfies ErrorCode[]

/** Why a message may not go out, whichever route brings it in. */
export const sendFailures = [
  'session-not-found',
  'session-not-active',
  'session-closed',
  'message-too-large',
  ...upstreamFailures,
] as const satisfies ErrorCode[]
