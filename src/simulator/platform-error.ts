/** The error body every surface but OAuth answers with. Its `contextId` is added when it is sent. */
import type { z } from 'zod'
import type { Answer } from './answer.ts'

export interface ErrorDetail {
  errorCode: string
  fieldName: string
}

export interface ErrorExtras {
  /** Fills the `{placeholders}` of the message; both forms are sent. */
  params?: Readonly<Record<string, string>>
  details?: readonly ErrorDetail[]
  limit?: { key: string; namespace: string; value: number }
  headers?: Readonly<Record<string, string>>
}

export function platformError(
  status: number,
  code: string,
  message: string,
  extras: ErrorExtras = {},
): Answer {
  const params = extras.params ?? {}
  return {
    status,
    error: {
      message: message.replace(/\{(\w+)\}/g, (whole, name: string) => params[name] ?? whole),
      code,
      status,
      messageWithParams: message,
      messageParams: params,
      details: extras.details ?? [],
      errors: [],
      ...(extras.limit && { limit: extras.limit }),
    },
    ...(extras.headers && { headers: extras.headers }),
  }
}

/** What goes over the wire of an answer: its body, another in its place, or the platform's error; possibly nothing. */
export function textOfAnswer(
  answer: Answer,
  contextId: string,
  body: unknown = answer.body,
): string {
  if (typeof body === 'string') return body
  if (Buffer.isBuffer(body)) return ''
  if (body !== undefined) return JSON.stringify(body)
  if (answer.error === undefined) return ''
  return JSON.stringify({ ...answer.error, contextId })
}

/** The code the platform gives a bare status. */
export function codeOfStatus(status: number): string {
  const codes: Record<number, string> = {
    400: 'bad.request',
    401: 'bad.credentials',
    403: 'not.authorized',
    404: 'not.found',
    408: 'client.timeout',
    409: 'conflict',
    410: 'gone',
    413: 'request.entity.too.large',
    415: 'unsupported.media.type',
    429: 'too.many.requests',
    500: 'internal.server.error',
    503: 'service.unavailable',
    504: 'request.timeout',
  }
  return codes[status] ?? (status < 500 ? 'bad.request' : 'internal.server.error')
}

/** A body the schema does not take, with every field that is wrong. */
export function invalidBody(error: z.ZodError, status = 400): Answer {
  const [first] = error.issues
  const field = first?.path.join('.') ?? ''
  return platformError(status, 'invalid.value', 'The value of {field} is not valid: {reason}', {
    params: { field: field || 'the body', reason: first?.message ?? 'unreadable' },
    details: error.issues.map((issue) => ({
      errorCode: 'invalid.value',
      fieldName: issue.path.join('.'),
    })),
  })
}

/** Something over its limit. */
export function tooLarge(field: string, limit: number, status = 413): Answer {
  return platformError(status, 'request.entity.too.large', 'The {field} exceeds {limit} bytes', {
    params: { field, limit: String(limit) },
    details: [{ errorCode: 'request.entity.too.large', fieldName: field }],
  })
}
