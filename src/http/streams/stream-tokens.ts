import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'

/** What a stream token allows: one session's stream, from one origin. */
export interface StreamGrant {
  sessionId: string
  origin: string
  /** It may also send the guest's own messages. */
  canSend: boolean
  /** Epoch ms. */
  expiresAt: number
}

/** Loaded with the first token: it would be a tenth of the time to start. */
const jose = () => import('jose')

const issuer = 'genesys-guest-gateway'
const audience = 'stream'
const type = 'stream+jwt'
export const defaultTtlSeconds = 600
export const maxTtlSeconds = 3600

/**
 * Tokens a browser may hold. Signed, not stored: any process of the store can check one, and its session's end, which
 * leaves it nothing but reading what there is to that end, is looked at anyway. One algorithm, one type, one audience
 * (RFC 8725).
 */
export class StreamTokens {
  readonly #key: Uint8Array
  readonly #clock: Clock

  constructor(key: Uint8Array, clock: Clock) {
    this.#key = key
    this.#clock = clock
  }

  async issue(
    grant: Omit<StreamGrant, 'expiresAt'>,
    ttlSeconds: number,
  ): Promise<{ token: string; expiresAt: number }> {
    const now = Math.floor(this.#clock.now() / 1000)
    const { SignJWT } = await jose()
    const token = await new SignJWT({ origin: grant.origin, send: grant.canSend })
      .setProtectedHeader({ alg: 'HS256', typ: type })
      .setIssuer(issuer)
      .setAudience(audience)
      .setSubject(grant.sessionId)
      .setIssuedAt(now)
      .setExpirationTime(now + ttlSeconds)
      .sign(this.#key)
    return { token, expiresAt: (now + ttlSeconds) * 1000 }
  }

  /** Throws `unauthorized` for anything that is not a token of ours, for this session, still valid. */
  async check(token: string, sessionId: string): Promise<StreamGrant> {
    const claims = await this.#claims(token)
    if (claims?.sessionId !== sessionId) {
      throw new GatewayError('unauthorized', 'The stream token is not valid for this session now')
    }
    return claims
  }

  async #claims(token: string): Promise<StreamGrant | undefined> {
    try {
      const { jwtVerify } = await jose()
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: ['HS256'],
        typ: type,
        issuer,
        audience,
        requiredClaims: ['sub', 'exp', 'iat'],
        currentDate: new Date(this.#clock.now()),
      })
      const { sub = '', exp = 0, origin, send } = payload
      if (typeof origin !== 'string' || typeof send !== 'boolean') return undefined
      return { sessionId: sub, origin, canSend: send, expiresAt: exp * 1000 }
    } catch {
      // jose names the reason; a caller with a bad token needs none.
      return undefined
    }
  }
}

/** Whether a bearer is meant as a stream token, good or not; else it can only be an API key. */
export function isStreamToken(bearer: string): boolean {
  try {
    const [header = ''] = bearer.split('.')
    const { typ } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { typ?: unknown }
    return typ === type
  } catch {
    return false
  }
}
