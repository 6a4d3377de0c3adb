/**
 * What the server sends:
 *   { type: 'response' | 'message', class, code, body, tracingId? }
 * `response` answers a request, `message` comes by itself. The class tells what the body is.
 */
import type { Reading } from '../../sliding-window.ts'
import type { Behaviour } from '../../switches/behaviour.ts'

export interface ServerFrame {
  type: 'response' | 'message'
  class: string
  code: number
  body: unknown
  tracingId?: string
}

export function response(name: string, body: unknown): ServerFrame {
  return { type: 'response', class: name, code: 200, body }
}

export function push(name: string, body: unknown): ServerFrame {
  return { type: 'message', class: name, code: 200, body }
}

/** Instead of an answer: why there is none. */
export class Refusal {
  readonly code: number
  readonly text: string
  /** Of a rate limit: how long it will still hold. */
  readonly retryAfterMs: number

  constructor(code: number, text: string, retryAfterMs = 0) {
    this.code = code
    this.text = text
    this.retryAfterMs = retryAfterMs
  }
}

export function tooManyRequests({ retryAfterMs }: Reading): Refusal {
  return new Refusal(429, 'Message rate too high for this session', retryAfterMs)
}

export function refusalFrame(
  { code, text, retryAfterMs }: Refusal,
  { retryAfterLieMs, webMessaging: { errorClass } }: Behaviour,
): ServerFrame {
  if (code === 429) {
    const retryAfter = Math.max(0, Math.ceil((retryAfterMs + retryAfterLieMs) / 1_000))
    const name = 'TooManyRequestsErrorMessage'
    const body = { retryAfter, errorCode: 4029, errorMessage: text, name, message: text }
    return { type: 'response', class: name, code, body }
  }
  const body =
    errorClass === 'string'
      ? text
      : { name: errorClass, message: text, errorCode: code, errorMessage: text }
  return { type: 'response', class: errorClass, code, body }
}
