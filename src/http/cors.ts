import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Origins } from './origins.ts'

const preflight = {
  'access-control-allow-methods': 'GET, POST, PUT, DELETE',
  'access-control-allow-headers':
    'authorization, content-type, idempotency-key, last-event-id, prefer, traceparent, tracestate, x-request-id',
  'access-control-max-age': '600',
}
const exposed =
  'idempotent-replayed, location, preference-applied, ratelimit, ratelimit-policy, retry-after, x-request-id'

/**
 * Cross-origin answers for the allowlist and nobody else. Credentials are never allowed: keys and tokens are sent on
 * purpose, not by cookie. True when the request was a preflight, which is answered now. (@fastify/cors answers every
 * OPTIONS; here one that is no preflight stays a 405.)
 */
export function allowOrigin(
  origins: Origins,
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
): boolean {
  // Where no origin is allowed, all get the same.
  if (origins.isNobody) return false
  // Also without one: a cache must not give such an answer to a page.
  reply.header('vary', 'Origin')
  const { origin } = headers
  if (origin === undefined || !origins.allows(origin)) return false
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', exposed)
  if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false
  reply.headers(preflight).code(204).send()
  return true
}
