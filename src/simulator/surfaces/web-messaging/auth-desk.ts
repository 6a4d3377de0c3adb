/**
 * Guests who sign in. Any authorization code is good but `invalid`, and stands for the user of that name.
 *
 *   POST   /api/v2/webdeployments/token/oauthcodegrantjwtexchange { deploymentId, oauth: { code } }   → { jwt, refreshToken }
 *   POST   /api/v2/webdeployments/token/refresh { refreshToken }                                      → { jwt }
 *   DELETE /api/v2/webdeployments/token/revoke                  Authorization: bearer <jwt>           → LogoutEvent
 */
import { z } from 'zod'
import type { Answer } from '../../answer.ts'
import { invalidBody, platformError } from '../../platform-error.ts'
import type { Call, Operation } from '../../surface.ts'
import type { World } from '../../world.ts'

const path = '/api/v2/webdeployments/token'
const jwtTtlMs = 900_000

const Exchange = z.looseObject({
  deploymentId: z.string().min(1),
  oauth: z.looseObject({ code: z.string().min(1) }),
})
const Refresh = z.looseObject({ refreshToken: z.string().min(1) })

export class AuthDesk {
  readonly #world: World
  readonly #logOut: (user: string) => void
  readonly #jwts = new Map<string, { user: string; expiresAt: number }>()
  readonly #refreshTokens = new Map<string, string>()
  #issued = 0

  /** `logOut` is called when a user's tokens are revoked. */
  constructor(world: World, logOut: (user: string) => void) {
    this.#world = world
    this.#logOut = logOut
  }

  readonly operations: readonly Operation[] = [
    {
      name: 'exchangeCode',
      method: 'POST',
      path: `${path}/oauthcodegrantjwtexchange`,
      access: 'open',
      answer: (call) => this.#exchange(call),
    },
    {
      name: 'refreshJwt',
      method: 'POST',
      path: `${path}/refresh`,
      access: 'open',
      answer: (call) => this.#refresh(call),
    },
    {
      name: 'revokeJwt',
      method: 'DELETE',
      path: `${path}/revoke`,
      access: 'open',
      answer: (call) => this.#revoke(call),
    },
  ]

  /** Whose JWT it is; undefined when it is not good any more. */
  userOf(jwt: string): string | undefined {
    const known = this.#jwts.get(jwt)
    return known && known.expiresAt > this.#world.time.now() ? known.user : undefined
  }

  #exchange({ body }: Call): Answer {
    const parsed = Exchange.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const { code } = parsed.data.oauth
    if (!this.#world.behaviour.webMessaging.deployment.auth || code === 'invalid') {
      return platformError(401, 'authentication.failed', 'The authorization code is not good')
    }
    const refreshToken = this.#world.chance.opaque('guest user', code)
    this.#refreshTokens.set(refreshToken, code)
    return { status: 200, body: { jwt: this.#issue(code), refreshToken } }
  }

  #refresh({ body }: Call): Answer {
    const parsed = Refresh.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const user = this.#refreshTokens.get(parsed.data.refreshToken)
    if (user === undefined) {
      return platformError(401, 'authentication.failed', 'The refresh token is not good')
    }
    return { status: 200, body: { jwt: this.#issue(user) } }
  }

  #revoke({ headers }: Call): Answer {
    const jwt = /^bearer +(\S+)$/i.exec(String(headers.authorization))?.[1] ?? ''
    const user = this.userOf(jwt)
    if (user === undefined) {
      return platformError(401, 'authentication.failed', 'The token is not good')
    }
    for (const [value, known] of this.#jwts) if (known.user === user) this.#jwts.delete(value)
    for (const [value, owner] of this.#refreshTokens) {
      if (owner === user) this.#refreshTokens.delete(value)
    }
    this.#logOut(user)
    return { status: 204 }
  }

  #issue(user: string): string {
    this.#issued += 1
    const jwt = `eyJ.${this.#world.chance.opaque('guest jwt', user, this.#issued)}`
    this.#jwts.set(jwt, { user, expiresAt: this.#world.time.now() + jwtTtlMs })
    return jwt
  }
}
