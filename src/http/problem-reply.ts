/** Every failure becomes an RFC 9457 problem here: ours, Fastify's, and the ones nobody foresaw. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, type FieldError, GatewayError, type UpstreamSaid } from '../errors.ts'
import { InvalidCursor, StoreUnavailable } from '../store/store.ts'
import { problemTypes } from './problems.ts'
import { invalidRequest } from './validation.ts'

export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  instance: string
  code: ErrorCode
  requestId: string
  errors: FieldError[]
  retryable: boolean
  retryAfterSeconds: number | null
  upstream: UpstreamSaid | null
}

export const problemContentType = 'application/problem+json; charset=utf-8'

export function problemOf(error: GatewayError, instance: string, requestId: string): Problem {
  const { status, title } = problemTypes[error.code]
  const { code, retryable, retryAfterMs, errors, upstream } = error
  return {
    type: `/problems/${code}`,
    title,
    status,
    detail: error.message,
    instance,
    code,
    requestId,
    errors,
    retryable,
    retryAfterSeconds:
      retryAfterMs === undefined ? null : Math.max(1, Math.ceil(retryAfterMs / 1000)),
    upstream: upstream ?? null,
  }
}

export function sendProblem(
  request: FastifyRequest,
  reply: FastifyReply,
  error: unknown,
): FastifyReply {
  const known = translate(error)
  if (!known)
    request.log.error({ err: error, requestId: request.id }, 'request failed unexpectedly')
  // What nobody foresaw is our fault, and nothing about it is for callers.
  const failure =
    known ?? new GatewayError('overloaded', 'The gateway failed to handle this request')
  // The query may carry a stream token.
  const instance = request.url.split('?', 1)[0] ?? '/'
  const problem = problemOf(failure, instance, request.id)
  // Also here, because a path that cannot be decoded passes no hook.
  reply.header('x-request-id', request.id)
  if (problem.retryAfterSeconds !== null)
    reply.header('retry-after', String(problem.retryAfterSeconds))
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply.code(problem.status).type(problemContentType).send(JSON.stringify(problem))
}

function translate(error: unknown): GatewayError | undefined {
  if (error instanceof GatewayError) return error
  if (error instanceof InvalidCursor) {
    return invalidRequest([{ pointer: '?cursor', detail: 'is not one this gateway gave' }])
  }
  if (error instanceof StoreUnavailable) {
    return new GatewayError('overloaded', 'The store cannot be used now', {
      retryable: true,
      retryAfterMs: 5000,
      cause: error,
    })
  }
  if (!(error instanceof Error)) return undefined
  const { code = '', statusCode } = error as FastifyError
  const translated = fastifyCodes[code]
  if (translated) return new GatewayError(translated.code, translated.detail, { cause: error })
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new GatewayError('invalid-request', error.message, { cause: error })
  }
  return undefined
}

const fastifyCodes: Record<string, { code: ErrorCode; detail: string }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body-too-large', detail: 'The body is over 1 MiB' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported-media-type',
    detail: 'This route does not take bodies of this content type',
  },
  FST_ERR_CTP_EMPTY_JSON_BODY: { code: 'invalid-request', detail: 'The body is empty' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid-request',
    detail: 'The body is not as long as Content-Length says',
  },
  FST_ERR_BAD_URL: { code: 'invalid-request', detail: 'The path is not a valid URL path' },
}
