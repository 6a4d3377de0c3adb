/**
 * What the platform refuses over the socket, by code.
 *
 *   { class: 'string', code: 4011, body: 'Message length 5000 is larger than 4096', tracingId? }
 *   { class: 'TooManyRequestsErrorMessage', code: 429, body: { retryAfter (s), errorCode: 4029, errorMessage } }
 *   { class: 'Error' | 'ErrorMessage', code, body: { errorCode, errorMessage, message?, name? } }
 *
 * The tracing id says what was refused. Without one it may be any request, so the oldest message is taken for it.
 */
import { type ErrorCode, passes } from '../../../errors.ts'
import type { JsonObject } from '../../../json.ts'
import { redact } from '../../../redact.ts'
import type { StreamNews } from '../../dialect.ts'
import { fieldsOf, numberOf, textOf } from '../fields.ts'
import { configureTracingId } from './frames.ts'

type Over = Omit<Extract<StreamNews, { kind: 'over' }>, 'kind'>

/** However long the platform asks for: nobody waits longer for a second try. */
const longestWaitMs = 24 * 3_600_000

interface Meaning {
  code: ErrorCode
  /** The session goes with the request. */
  over?: Over
}

const readOnly: Over = { state: 'closed', reason: 'read-only' }
const expired: Over = { state: 'expired', reason: 'session expired' }
const forgotten: Over = { state: 'expired', reason: 'session not found' }
const unauthenticated: Over = { state: 'failed', reason: 'authentication failed' }
const notAnonymous: Over = {
  state: 'failed',
  reason: 'the token belongs to an authenticated guest',
}

const meanings: Readonly<Record<number, Meaning>> = {
  400: { code: 'upstream-rejected' },
  401: { code: 'upstream-unauthorized', over: unauthenticated },
  403: { code: 'upstream-forbidden', over: unauthenticated },
  404: { code: 'upstream-rejected' },
  408: { code: 'upstream-timeout' },
  409: { code: 'session-closed', over: readOnly },
  413: { code: 'message-too-large' },
  429: { code: 'rate-limited' },
  500: { code: 'upstream-error' },
  503: { code: 'upstream-unavailable' },
  504: { code: 'upstream-timeout' },
  /** Feature not available. */
  4000: { code: 'upstream-rejected' },
  /** Of a file: its type, size, content, name, length of name. */
  4001: { code: 'attachment-type-not-allowed' },
  4002: { code: 'attachment-too-large' },
  4003: { code: 'upstream-rejected' },
  4004: { code: 'upstream-rejected' },
  4005: { code: 'upstream-rejected' },
  4006: { code: 'session-closed', over: expired },
  4007: { code: 'session-closed', over: forgotten },
  /** Attachment expired, not found, not uploaded. */
  4008: { code: 'upstream-rejected' },
  4009: { code: 'upstream-rejected' },
  4010: { code: 'upstream-rejected' },
  4011: { code: 'message-too-large' },
  /** Custom attributes. */
  4013: { code: 'metadata-too-large' },
  4017: { code: 'session-closed', over: notAnonymous },
  /** Missing parameter. */
  4020: { code: 'upstream-rejected' },
  4029: { code: 'rate-limited' },
  /** Empty file. */
  4102: { code: 'upstream-rejected' },
  5000: { code: 'upstream-error' },
}

const errorClasses = ['string', 'Error', 'ErrorMessage', 'TooManyRequestsErrorMessage']

/** 400 and above is a refusal. The body's own code, where an error has one, is the more exact. */
export function codeOf(frame: JsonObject): number {
  const own = errorClasses.includes(textOf(frame.class) ?? '')
    ? numberOf(fieldsOf(frame.body).errorCode)
    : null
  return own ?? numberOf(frame.code) ?? 0
}

/** Empty when nothing of ours was refused. */
export function readRefusal(frame: JsonObject): StreamNews[] {
  const key = textOf(frame.tracingId)
  const body = fieldsOf(frame.body)
  const said = textOf(frame.body) ?? textOf(body.errorMessage) ?? textOf(body.message) ?? ''
  const number = codeOf(frame)
  const aboutFeature = number === 403 && !/authenticat|authorization/i.test(said)
  // Only typing and clearing are features a deployment can lack; a message is not refused for one.
  if (aboutFeature && key === null) return []
  const { code, over } = aboutFeature
    ? { code: 'upstream-rejected' as const, over: undefined }
    : meaningOf(number)
  const detail = `The platform answered ${number}${said === '' ? '' : `: ${said}`}`
  if (key?.startsWith(configureTracingId) && !passes(code)) {
    return [{ kind: 'over', ...(over ?? { state: 'failed', reason: redact(detail) }) }]
  }
  const retryAfter = numberOf(body.retryAfter)
  const waitMs = Math.round((retryAfter ?? 0) * 1000)
  const retryAfterMs = retryAfter === null ? null : Math.min(Math.max(0, waitMs), longestWaitMs)
  const nack: StreamNews = { kind: 'nack', key, code, detail, retryAfterMs }
  return over ? [nack, { kind: 'over', ...over }] : [nack]
}

export function meaningOf(number: number): Meaning {
  const outage = (number >= 500 && number < 600) || (number >= 5000 && number < 6000)
  return meanings[number] ?? { code: outage ? 'upstream-error' : 'upstream-rejected' }
}
