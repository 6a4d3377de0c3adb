/** What each error code means to a caller: its status, its title, and the page that explains it. */
import type { ErrorCode } from '../errors.ts'

export interface ProblemType {
  status: number
  title: string
  /** When it happens. */
  meaning: string
  /** What the caller, or the operator, can do. */
  remedy: string
}

export const problemTypes = {
  'invalid-request': {
    status: 400,
    title: 'The request is not valid',
    meaning:
      'A field, parameter or header is missing, unknown, or not of the documented shape. Nothing was done.',
    remedy: 'Look at `errors`: each entry points at one wrong place.',
  },
  unauthorized: {
    status: 401,
    title: 'A valid API key is needed',
    meaning:
      'The `Authorization: Bearer` header is missing, or its key or token is not known here.',
    remedy: 'Send one of the keys configured in `API_KEYS`.',
  },
  forbidden: {
    status: 403,
    title: 'This key may not do that',
    meaning: 'The key is known but its role does not include this route.',
    remedy: 'Use a key with one of the roles named in `detail`.',
  },
  'origin-not-allowed': {
    status: 403,
    title: 'The origin is not allowed',
    meaning: 'The `Origin`, or the origin named in the request, is not on the allowlist.',
    remedy: 'Add it to `ALLOWED_ORIGINS`, exactly as the browser sends it.',
  },
  'session-not-found': {
    status: 404,
    title: 'There is no such session',
    meaning: 'No session has this id, or it ended so long ago that it was removed.',
    remedy: 'Check the id; `GET /v1/sessions` lists what there is.',
  },
  'message-not-found': {
    status: 404,
    title: 'There is no such message',
    meaning: 'The session exists and has no message of this id.',
    remedy: 'Check the id; the transcript lists what there is.',
  },
  'webhook-not-found': {
    status: 404,
    title: 'There is no such webhook',
    meaning: 'No webhook destination has this id.',
    remedy: 'Check the id; `GET /v1/webhooks` lists what there is.',
  },
  'route-not-found': {
    status: 404,
    title: 'There is no such route',
    meaning: 'The path is not part of this API.',
    remedy: 'The API reference at `/docs` lists every route.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not allowed here',
    meaning: 'The path exists and does not take this method.',
    remedy: 'The `Allow` header names the methods it takes.',
  },
  'session-not-active': {
    status: 409,
    title: 'The guest is not active yet',
    meaning:
      'The platform was still routing the guest at the deadline. The message did not leave and will not leave by itself: it is `failed`.',
    remedy:
      'Repeat after `Retry-After`, or send `Prefer: respond-async` to let the message wait for its session.',
  },
  'session-closed': {
    status: 409,
    title: 'The session is over',
    meaning: 'The session is closed, expired or failed; it takes no more messages.',
    remedy: 'Create a new session.',
  },
  'guest-already-exists': {
    status: 409,
    title: 'The guest already exists',
    meaning: 'The platform already has a guest of this id.',
    remedy: 'Choose another id, or leave it out and have one made.',
  },
  'conversation-mismatch': {
    status: 409,
    title: 'The conversation is another one',
    meaning: 'The `conversationId` of the message is not that of the session. Nothing was sent.',
    remedy: 'Leave it out, or use the one the session shows.',
  },
  'idempotency-key-in-progress': {
    status: 409,
    title: 'The first request of this key still runs',
    meaning: 'A request with the same `Idempotency-Key` has not been answered yet.',
    remedy: 'Repeat after `Retry-After`; you will get the first answer.',
  },
  'message-not-retryable': {
    status: 409,
    title: 'The message cannot be sent again',
    meaning: 'Only `failed` and `unconfirmed` messages can be sent again.',
    remedy: 'Read the message; it may have been sent meanwhile.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning: 'The request body is over 1 MiB.',
    remedy: 'Send less at once.',
  },
  'message-too-large': {
    status: 413,
    title: 'The message is too large',
    meaning: 'The text is over the limit, in bytes of UTF-8. Nothing was sent.',
    remedy: 'Shorten it, or send `"oversize": "split"`.',
  },
  'attachment-too-large': {
    status: 413,
    title: 'An attachment is too large',
    meaning: 'An attachment is over the limit. Nothing was sent.',
    remedy: 'Send a smaller file.',
  },
  'metadata-too-large': {
    status: 413,
    title: 'The metadata is too large',
    meaning:
      'The metadata is over 64 KiB as the JSON that goes to the platform. Nothing was created.',
    remedy: 'Send less of it.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The content type is not supported',
    meaning: 'The body is not of a content type this route takes.',
    remedy: 'Send `Content-Type: application/json`; the batch route takes `application/x-ndjson`.',
  },
  'consent-required': {
    status: 422,
    title: 'Consent is required',
    meaning:
      'The region is one of `STRICT_CONSENT_REGIONS`, the dialect takes consent, and marketing or personalization consent was not given. Nothing was created or changed.',
    remedy:
      'Ask the guest, and send both as true. Which dialects take consent, `GET /v1/dialects` says (`capabilities.consent`); for the others it is only recorded.',
  },
  'content-blocked': {
    status: 422,
    title: 'The text is blocked',
    meaning: 'The text matches one of the blocked patterns. Nothing was sent.',
    remedy: 'Change the text.',
  },
  'attachment-type-not-allowed': {
    status: 422,
    title: 'The attachment type is not allowed',
    meaning: 'The content type of an attachment is not on the allowlist. Nothing was sent.',
    remedy: 'Use one of the types named in `detail`.',
  },
  'author-not-supported': {
    status: 422,
    title: 'The dialect cannot send as this author',
    meaning: 'The surface this session uses has no way to speak as this author. Nothing was sent.',
    remedy: 'Use one of the authors named in `detail`; `GET /v1/dialects` lists them.',
  },
  'not-supported-by-dialect': {
    status: 422,
    title: 'The dialect cannot do this',
    meaning: 'The surface this session uses has no such feature. Nothing was sent.',
    remedy: '`GET /v1/dialects` lists what each can do.',
  },
  'dialect-not-configured': {
    status: 422,
    title: 'The dialect is not configured',
    meaning: 'This gateway is not set up for the dialect.',
    remedy:
      'Set what `detail` names; `GET /v1/dialects` lists what is configured, and which settings are missing.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key belongs to another request',
    meaning:
      'The key was used within 24 hours with another method, path or body; or the `id` of a message on a WebSocket with another text.',
    remedy: 'Use a new key, or `id`, for what is new.',
  },
  'upstream-rejected': {
    status: 422,
    title: 'The platform rejected the request',
    meaning:
      'Genesys Cloud understood the request and refused it. Repeating it will be refused again.',
    remedy: '`upstream` carries what the platform said.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    meaning:
      'The limit of this API key, the quota of the OAuth clients, or the places to wait are used up. Nothing was sent.',
    remedy: 'Repeat after `Retry-After`.',
  },
  'upstream-unauthorized': {
    status: 502,
    title: 'The platform does not accept our credentials',
    meaning: 'The OAuth client was refused, also with a fresh token.',
    remedy: 'Operators: check the client id and secret, the region and the login URL.',
  },
  'upstream-forbidden': {
    status: 502,
    title: 'The platform forbids the request',
    meaning: 'The OAuth client lacks a scope or permission; `detail` names what is needed.',
    remedy: 'Operators: grant it to the OAuth client.',
  },
  'upstream-error': {
    status: 502,
    title: 'The platform failed',
    meaning: 'Genesys Cloud answered with a server error, or broke the connection.',
    remedy: 'If `retryable` is true, repeat after `Retry-After`.',
  },
  'upstream-invalid-response': {
    status: 502,
    title: 'The platform answered nonsense',
    meaning: 'The answer was not what the documents promise.',
    remedy: 'Operators: check that the base URL is the Genesys Cloud API.',
  },
  overloaded: {
    status: 503,
    title: 'The gateway is overloaded',
    meaning: 'The gateway sheds load, or its store cannot take writes now. Nothing was done.',
    remedy: 'Repeat after `Retry-After`.',
  },
  'upstream-unavailable': {
    status: 503,
    title: 'The platform is unavailable',
    meaning:
      'Genesys Cloud cannot be reached, or failed so often that it is given a pause. Nothing was sent.',
    remedy: 'Repeat after `Retry-After`.',
  },
  'shutting-down': {
    status: 503,
    title: 'The gateway is shutting down',
    meaning: 'This process takes no new requests. Nothing was done.',
    remedy: 'Repeat; another process answers.',
  },
  'upstream-timeout': {
    status: 504,
    title: 'The platform did not answer in time',
    meaning: 'No answer came before the deadline.',
    remedy: 'If `retryable` is true, repeat after `Retry-After`.',
  },
} as const satisfies Record<ErrorCode, ProblemType>
