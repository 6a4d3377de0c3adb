import type { FastifyInstance } from 'fastify'
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
 * purpose, not by cookie. (@fastify/cors answers every OPTIONS; here one that is no preflight stays a 405.)
 */
export function allowOrigins(app: FastifyInstance, origins: Origins): void {
  app.addHook('onRequest', (request, reply, done) => {
    // Also without one: a cache must not give such an answer to a page.
    reply.header('vary', 'Origin')
    const { origin } = request.headers
    if (origin === undefined || !origins.allows(origin)) return done()
    reply.header('access-control-allow-origin', origin)
    reply.header('access-control-expose-headers', exposed)
    const asks = request.headers['access-control-request-method'] !== undefined
    if (request.method === 'OPTIONS' && asks) reply.headers(preflight).code(204).send()
    else done()
  })
}
