/** The error body every surface but OAuth answers with. Its `contextId` is added when it is sent. */
import type { Answer } from './surface.ts'

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

/** The code the platform gives a bare status. */
export function codeOfStatus(status: number): string {
  const codes: Record<number, string> = {
    400: 'bad.request',
    401: 'bad.credentials',
    403: 'not.authorized',
    404: 'not.found',
    408: 'client.timeout',
    409: 'conflict',
    413: 'request.entity.too.large',
    415: 'unsupported.media.type',
    429: 'too.many.requests',
    500: 'internal.server.error',
    503: 'service.unavailable',
    504: 'request.timeout',
  }
  return codes[status] ?? (status < 500 ? 'bad.request' : 'internal.server.error')
}
