import { redact } from './redact.ts'

/** Every code a caller can meet. `http/problems.ts` gives each its status, title and page. */
export const errorCodes = [
  'invalid-request',
  'unauthorized',
  'forbidden',
  'origin-not-allowed',
  'session-not-found',
  'message-not-found',
  'webhook-not-found',
  'route-not-found',
  'method-not-allowed',
  'session-not-active',
  'session-closed',
  'guest-already-exists',
  'conversation-mismatch',
  'idempotency-key-in-progress',
  'message-not-retryable',
  'body-too-large',
  'message-too-large',
  'attachment-too-large',
  'metadata-too-large',
  'unsupported-media-type',
  'consent-required',
  'content-blocked',
  'attachment-type-not-allowed',
  'author-not-supported',
  'not-supported-by-dialect',
  'dialect-not-configured',
  'idempotency-key-reused',
  'upstream-rejected',
  'rate-limited',
  'upstream-unauthorized',
  'upstream-forbidden',
  'upstream-error',
  'upstream-invalid-response',
  'overloaded',
  'upstream-unavailable',
  'shutting-down',
  'upstream-timeout',
] as const
export type ErrorCode = (typeof errorCodes)[number]

const passing: readonly ErrorCode[] = [
  'rate-limited',
  'upstream-error',
  'upstream-timeout',
  'upstream-unavailable',
]

/** Refused now by the platform, and perhaps not later. */
export function passes(code: ErrorCode): boolean {
  return passing.includes(code)
}

/** One wrong place in a request. `pointer` is an RFC 6901 JSON pointer, or `?name` / `header` names. */
export interface FieldError {
  pointer: string
  detail: string
}

/** What the platform said, as far as it can be repeated to a caller. */
export interface UpstreamSaid {
  status: number | null
  code: string | null
  message: string | null
  /** Genesys' own correlation id: what its support asks for. */
  contextId: string | null
}

export interface GatewayErrorOptions extends ErrorOptions {
  /** Repeating the same request can help and cannot double a message. Default false. */
  retryable?: boolean
  /** How long a caller should wait first, milliseconds. */
  retryAfterMs?: number
  errors?: FieldError[]
  upstream?: UpstreamSaid
}

/** The one error that reaches callers. Its text is redacted when it is made, so it is safe to log and to answer. */
export class GatewayError extends Error {
  override readonly name: string = 'GatewayError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  readonly errors: FieldError[]
  readonly upstream: UpstreamSaid | undefined

  constructor(code: ErrorCode, detail: string, options: GatewayErrorOptions = {}) {
    super(redact(detail), options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? false
    this.retryAfterMs = options.retryAfterMs
    this.errors = options.errors ?? []
    this.upstream = options.upstream && {
      ...options.upstream,
      message: options.upstream.message === null ? null : redact(options.upstream.message),
    }
  }
}

/**
 * A call to the platform that brought no usable answer.
 * `fate` says what became of the request: `refused`, the platform did not act on it (or never saw it);
 * `unknown`, its bytes left and nothing trustworthy came back, so it may have been acted on.
 */
export class UpstreamError extends GatewayError {
  override readonly name = 'UpstreamError'
  readonly fate: 'refused' | 'unknown'
  readonly attempts: number

  constructor(
    code: ErrorCode,
    detail: string,
    options: GatewayErrorOptions & { fate: 'refused' | 'unknown'; attempts: number },
  ) {
    super(code, detail, options)
    this.fate = options.fate
    this.attempts = options.attempts
  }
}
