/** What a request carries beside its body: who makes it, its id, its trace, and how long it wants to wait. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import type { Caller } from '../sessions/caller.ts'
import type { Waiting } from '../sessions/messages.ts'
import type { Role } from '../settings.ts'
import { newTrace, readTrace, type Trace } from '../trace.ts'
import type { Principal } from './auth.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Roles that may use the route; absent means it is open. */
    roles?: readonly Role[]
    /** The route asks for itself: it lets in these roles and stream tokens. */
    ownAccess?: readonly Role[]
  }
  interface FastifyRequest {
    /** Null on open routes. */
    principal: Principal | null
    /** As `traceOf` gave it; null before. */
    trace: Trace | null
    /** The pattern of its route, such as `/v1/sessions/:sessionId`; null where there is none. */
    route: string | null
  }
}

export function principalOf(request: FastifyRequest): Principal {
  if (request.principal) return request.principal
  throw new GatewayError('unauthorized', 'This route needs an API key')
}

export function callerOf(request: FastifyRequest): Caller {
  const { principal, id: requestId } = request
  return { name: principal?.name ?? null, trace: traceOf(request), requestId }
}

/** The trace a request belongs to: its caller's, or one made for it. The same all along. */
export function traceOf(request: FastifyRequest): Trace {
  request.trace ??= readTrace(request.headers) ?? newTrace()
  return request.trace
}

/** The gateway's origin as this caller reaches it. */
export function ownOrigin(request: Pick<FastifyRequest, 'protocol' | 'host'>): string {
  return `${request.protocol}://${request.host}`
}

/** The caller's `X-Request-Id` where it is usable, else a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID()
}

/** `Prefer: respond-async`, `wait=N` (seconds), or both (RFC 7240). What is not understood is ignored, as it says. */
export function waitingOf(request: FastifyRequest): Waiting {
  const header = request.headers.prefer
  if (header === undefined) return { kind: 'wait', waitMs: null }
  const preferences = String(header)
    .split(',')
    .map((preference) => preference.split(';', 1)[0]?.trim().toLowerCase() ?? '')
  const seconds = preferences.map((p) => /^wait\s*=\s*"?(\d{1,5})"?$/.exec(p)?.[1]).find(Boolean)
  const async = preferences.includes('respond-async')
  if (seconds !== undefined && Number(seconds) > 0)
    return { kind: 'wait', waitMs: Number(seconds) * 1000 }
  return async || seconds !== undefined ? { kind: 'async' } : { kind: 'wait', waitMs: null }
}
