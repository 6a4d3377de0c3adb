/** The short tokens a guest reads its history with: JWTs by their looks, known by heart. */
import type { World } from '../../world.ts'
import type { Connection, GuestSession } from './session.ts'

export interface Jwt {
  jwt: string
  /** Epoch seconds. */
  exp: number
}

interface Known {
  session: GuestSession
  connection: Connection
  expiresAt: number
}

export class Jwts {
  readonly #world: World
  readonly #known = new Map<string, Known>()
  #issued = 0

  constructor(world: World) {
    this.#world = world
  }

  issue(session: GuestSession, connection: Connection): Jwt {
    const { behaviour, chance, time } = this.#world
    this.#forgetExpired()
    this.#issued += 1
    const expiresAt = time.now() + behaviour.webMessaging.jwtTtlSeconds * 1_000
    const exp = Math.floor(expiresAt / 1_000)
    const parts = [{ alg: 'RS256', typ: 'JWT' }, { exp }].map((part) =>
      Buffer.from(JSON.stringify(part)).toString('base64url'),
    )
    const jwt = [...parts, chance.opaque('jwt', session.id, this.#issued)].join('.')
    this.#known.set(jwt, { session, connection, expiresAt })
    return { jwt, exp }
  }

  /** Whose history it opens; undefined when it is not good any more. */
  sessionOf(jwt: string): GuestSession | undefined {
    const known = this.#known.get(jwt)
    if (!known || known.expiresAt <= this.#world.time.now()) return undefined
    if (known.session.expired || !known.session.readable) return undefined
    const { jwtDiesWith } = this.#world.behaviour.webMessaging
    const isCut = jwtDiesWith === 'connection' && !known.connection.link.open
    return isCut ? undefined : known.session
  }

  #forgetExpired(): void {
    const now = this.#world.time.now()
    for (const [jwt, { expiresAt }] of this.#known) {
      if (expiresAt > now) break
      this.#known.delete(jwt)
    }
  }
}
