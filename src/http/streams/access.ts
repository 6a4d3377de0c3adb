import type { IncomingHttpHeaders } from 'node:http'
import { GatewayError } from '../../errors.ts'
import type { Role } from '../../settings.ts'
import { type ApiKeys, requireRole } from '../auth.ts'
import type { Origins } from '../origins.ts'
import type { StreamGrant, StreamTokens } from './stream-tokens.ts'

/** Who reads a session's stream. */
export interface StreamReader {
  /** API key name, or `stream-token`. */
  name: string
  /** Null for an API key, which may do what its role may. */
  grant: StreamGrant | null
}

export interface StreamAccessDeps {
  keys: ApiKeys
  tokens: StreamTokens
  origins: Origins
}

export interface StreamRequest {
  sessionId: string
  headers: IncomingHttpHeaders
  /** `?token=` */
  token: string | undefined
  /** The gateway's own origin, as this request sees it. */
  ownOrigin: string
  roles: readonly Role[]
}

/**
 * Lets in a stream token of this session from its origin, or an API key of the right role. A page may only come from
 * an allowed origin; a program sends no `Origin`. Throws `unauthorized`, `forbidden` or `origin-not-allowed`.
 */
export async function streamReader(
  { keys, tokens, origins }: StreamAccessDeps,
  { sessionId, headers, token, ownOrigin, roles }: StreamRequest,
): Promise<StreamReader> {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization ?? '')?.[1]
  const streamToken = token ?? (bearer && looksLikeJwt(bearer) ? bearer : undefined)
  const { origin } = headers
  if (streamToken !== undefined) {
    const grant = await tokens.check(streamToken, sessionId)
    if (origin !== undefined && origin !== grant.origin) {
      throw new GatewayError('origin-not-allowed', `The stream token was not made for ${origin}`)
    }
    return { name: 'stream-token', grant }
  }
  const principal = keys.authenticate(headers.authorization)
  requireRole(principal, roles)
  if (origin !== undefined && origin !== ownOrigin) origins.require(origin)
  return { name: principal.name, grant: null }
}

function looksLikeJwt(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}
