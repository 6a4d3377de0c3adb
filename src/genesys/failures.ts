/** What callers are told about a call that brought no usable answer. Pure. */
import { type ErrorCode, UpstreamError, type UpstreamSaid } from '../errors.ts'
import type { UpstreamRequest } from './dialect.ts'
import type { Answer, Fault, FaultKind, Outcome } from './outcome.ts'
import { upstreamSaid } from './upstream-said.ts'

export interface Circumstances {
  request: UpstreamRequest
  baseUrl: string
  attempts: number
  /** How long until it is worth trying again, milliseconds, where that is known. */
  waitMs: number | undefined
}

/** Whether the client itself deals with this answer; all others are for the dialect to judge. */
export function isForDialect(status: number): boolean {
  return status < 300 || (status >= 400 && status < 500 && !ownStatuses.has(status))
}

const ownStatuses: ReadonlySet<number> = new Set([401, 403, 408, 429])

/** Whether a second attempt can help and cannot double anything. 401 and 429 have rules of their own. */
export function mayRepeat(outcome: Outcome, request: UpstreamRequest): boolean {
  // 408 (`client.timeout`): the platform gave up waiting for the request, so it has not acted on it.
  if (outcome.kind === 'answer') return outcome.status >= 500 || outcome.status === 408
  if (!passing.has(outcome.fault)) return false
  return outcome.fate === 'refused' || request.repeatable
}

/** Faults that pass. */
const passing: ReadonlySet<FaultKind> = new Set([
  'connect',
  'reset',
  'timeout',
  'protocol',
  'circuit-open',
])

export function failureOf(outcome: Outcome, circumstances: Circumstances): UpstreamError {
  return outcome.kind === 'answer'
    ? refusal(outcome, circumstances)
    : breakage(outcome, circumstances)
}

function refusal(answer: Answer, circumstances: Circumstances): UpstreamError {
  const { request, baseUrl, attempts, waitMs } = circumstances
  const { status } = answer
  const upstream = upstreamSaid(answer)
  const call = `${request.operation} at ${baseUrl}`
  const scopes = request.scopes.join(', ') || 'none'
  const fail = (code: ErrorCode, detail: string, retryable: boolean) => {
    return new UpstreamError(code, detail, {
      upstream,
      attempts,
      retryable,
      fate: 'refused',
      ...(retryable && waitMs !== undefined ? { retryAfterMs: waitMs } : {}),
    })
  }
  if (status === 401) {
    return fail(
      'upstream-unauthorized',
      `${call} answered 401 to a fresh access token: check that the region is right and the OAuth client may use ${scopes}`,
      false,
    )
  }
  if (status === 403) {
    const detail = `${call} answered 403: the OAuth client needs the scopes ${scopes}`
    return fail('upstream-forbidden', detail, false)
  }
  if (status === 429) {
    return fail('rate-limited', `${call} answered 429: its rate limit is reached`, true)
  }
  if (status === 408) {
    return fail('upstream-timeout', `${call} answered 408: it got the request too slowly`, true)
  }
  if (status >= 500) return fail('upstream-error', `${call} answered ${status}`, true)
  const detail = `${call} answered ${status}, which this service does not follow`
  return fail('upstream-invalid-response', detail, false)
}

/** A second 401 although the token is new, and the platform has said that the token lacks these scopes. */
export function scopesMissing(
  answer: Answer,
  { request, baseUrl, attempts }: Circumstances,
  missing: string[],
): UpstreamError {
  return new UpstreamError(
    'upstream-forbidden',
    `${request.operation} at ${baseUrl} answered ${answer.status}: the OAuth client was not granted ${missing.join(', ')}`,
    { upstream: upstreamSaid(answer), attempts, fate: 'refused' },
  )
}

const codeOfFault = {
  connect: 'upstream-unavailable',
  untrusted: 'upstream-unavailable',
  'circuit-open': 'upstream-unavailable',
  crowded: 'overloaded',
  reset: 'upstream-error',
  timeout: 'upstream-timeout',
  protocol: 'upstream-invalid-response',
  'too-large': 'upstream-invalid-response',
  invalid: 'invalid-request',
  closed: 'shutting-down',
} as const satisfies Record<FaultKind, ErrorCode>

const detailOfFault = {
  connect: 'could not connect',
  untrusted: 'the certificate was not accepted',
  'circuit-open': 'not called: it failed too often just now',
  crowded: 'not called: all connections were busy',
  reset: 'the connection broke before the answer was complete',
  timeout: 'no answer in time',
  protocol: 'the answer was not HTTP',
  'too-large': 'the answer was too large',
  invalid: 'the request could not be written',
  closed: 'the gateway is shutting down',
} as const satisfies Record<FaultKind, string>

function breakage(
  { fault, fate, cause }: Fault,
  { request, baseUrl, attempts, waitMs }: Circumstances,
): UpstreamError {
  const detail = `${request.operation} at ${baseUrl}: ${detailOfFault[fault]}`
  const lasting = fault === 'untrusted' || fault === 'invalid' || fault === 'too-large'
  const retryable = !lasting && (fate === 'refused' || request.repeatable)
  return new UpstreamError(codeOfFault[fault], detail, {
    cause,
    attempts,
    fate,
    retryable,
    ...(retryable && waitMs !== undefined ? { retryAfterMs: waitMs } : {}),
  })
}

/** For an attempt that was not made. */
export function notSent(
  code: ErrorCode,
  why: string,
  { request, baseUrl, attempts }: Circumstances,
  cause?: unknown,
): UpstreamError {
  return new UpstreamError(code, `${request.operation} at ${baseUrl}: ${why}`, {
    fate: 'refused',
    attempts,
    retryable: true,
    cause,
  })
}

/** The same error, with what only the call as a whole knows. */
export function ofCall(
  error: UpstreamError,
  call: { attempts: number; fate: UpstreamError['fate']; upstream: UpstreamSaid | undefined },
): UpstreamError {
  const { code, message, retryable, retryAfterMs, cause } = error
  return new UpstreamError(code, message, {
    attempts: call.attempts,
    fate: call.fate,
    ...(call.upstream === undefined ? {} : { upstream: call.upstream }),
    retryable,
    cause: cause ?? error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  })
}
