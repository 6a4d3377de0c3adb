import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { Role } from '../../settings.ts'
import { type ApiKeys, requireRole } from '../auth.ts'
import type { Origins } from '../origins.ts'
import type { ApiRateLimiter, Budget } from '../rate-limit.ts'
import { isStreamToken, type StreamGrant, type StreamTokens } from './stream-tokens.ts'

/** Who reads a session's stream. */
export interface StreamReader {
  /** API key name, or `stream-token`. */
  name: string
  /** Null for an API key, which may do what its role may. */
  grant: StreamGrant | null
  /** What the API key may still ask for; undefined where nothing is counted. */
  budget: Budget | undefined
}

export interface StreamAccessDeps {
  keys: ApiKeys
  limiter: ApiRateLimiter
  tokens: StreamTokens
  origins: Origins
  clock: Clock
  /** Origin that answers name the gateway by; null means the request's host. */
  publicUrl: string | null
  /** True once the process has begun to stop. */
  isDraining(): boolean
}

export interface StreamRequest {
  sessionId: string
  headers: IncomingHttpHeaders
  /** `?token=` */
  token: string | undefined
  /** The gateway's own host and port, as this request sees it. */
  host: string | undefined
  roles: readonly Role[]
}

/**
 * Lets in a stream token of this session from its origin, or an API key of the right role. A page may only come from
 * an allowed origin; a program sends no `Origin`. Throws `unauthorized`, `forbidden`, `origin-not-allowed`,
 * `rate-limited` or, once the process stops, `shutting-down`.
 */
export async function streamReader(
  deps: StreamAccessDeps,
  { sessionId, headers, token, host, roles }: StreamRequest,
): Promise<StreamReader> {
  if (deps.isDraining()) throw shuttingDown()
  const { origin } = headers
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const streamToken = token ?? (bearer && isStreamToken(bearer) ? bearer : undefined)
  if (streamToken !== undefined) {
    const grant = await deps.tokens.check(streamToken, sessionId)
    if (origin !== undefined && origin !== grant.origin) {
      throw new GatewayError('origin-not-allowed', `The stream token was not made for ${origin}`)
    }
    // The allowlist may have changed since.
    if (origin !== undefined && !isOwn(deps, host, origin)) deps.origins.require(origin)
    return { name: 'stream-token', grant, budget: undefined }
  }
  const { name, role } = deps.keys.authenticate(headers.authorization)
  const now = deps.clock.now()
  const budget = deps.limiter.count(name, now)
  deps.limiter.check(name, now)
  requireRole({ name, role }, roles)
  if (origin !== undefined && !isOwn(deps, host, origin)) deps.origins.require(origin)
  return { name, grant: null, budget }
}

/** Our own pages. What is in front of us may speak TLS for us, so the scheme says nothing. */
function isOwn({ publicUrl }: StreamAccessDeps, host: string | undefined, origin: string): boolean {
  return origin === publicUrl || (URL.canParse(origin) && new URL(origin).host === host)
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting-down', 'This process is stopping', {
    retryable: true,
    retryAfterMs: 2000,
  })
}
