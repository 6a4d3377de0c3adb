/** The guest sessions there are, and which of their tokens are good. */
import type { Conversation } from '../../conversation.ts'
import type { Link } from '../../sockets/link.ts'
import type { World } from '../../world.ts'

export interface GuestSession {
  readonly id: string
  readonly details: SessionDetails
  readonly conversation: Conversation
  /** Good access tokens, each with its end, epoch ms. */
  readonly accessTokens: Map<string, number>
  accessToken: string
  refreshToken: string
  /** Of the newest access token, epoch ms. */
  expiresAt: number
  refreshExpiresAt: number
  /** How many pairs of tokens it has had. */
  rotations: number
  readonly links: Set<Link>
  stopWatchingExpiry: () => void
}

export interface SessionDetails {
  channelConfigurationId: string
  guestId: string
  guestAttributes: Record<string, unknown>
  consent?: Record<string, unknown> | undefined
}

export type TokenStanding = 'good' | 'expired' | 'unknown'

export class GuestSessionDesk {
  readonly #world: World
  readonly #byId = new Map<string, GuestSession>()
  #opened = 0

  constructor(world: World) {
    this.#world = world
    world.conversations.watch((conversation, { kind }) => {
      const sessionId = conversation.guest.sessionId
      if (kind !== 'forgotten' || typeof sessionId !== 'string') return
      this.#byId.get(sessionId)?.stopWatchingExpiry()
      this.#byId.delete(sessionId)
    })
  }

  open(details: SessionDetails): GuestSession {
    const { chance, conversations } = this.#world
    this.#opened += 1
    const id = chance.uuid('guest session', this.#opened)
    const session: GuestSession = {
      id,
      details,
      conversation: conversations.open({
        surface: 'guest-sessions',
        guest: { sessionId: id, ...details },
        guestId: details.guestId,
      }),
      accessTokens: new Map(),
      accessToken: '',
      refreshToken: '',
      expiresAt: 0,
      refreshExpiresAt: 0,
      rotations: 0,
      links: new Set(),
      stopWatchingExpiry: () => undefined,
    }
    this.#byId.set(id, session)
    this.#issue(session, [])
    return session
  }

  find(id: string): GuestSession | undefined {
    return this.#byId.get(id)
  }

  /** The session whose guest has this id and which is not over. */
  ofGuest(guestId: string): GuestSession | undefined {
    const conversation = this.#world.conversations.ofGuest('guest-sessions', guestId)
    if (!conversation || conversation.status === 'CLOSED') return undefined
    return this.#byId.get(String(conversation.guest.sessionId))
  }

  standing(session: GuestSession, accessToken: string): TokenStanding {
    const expiresAt = session.accessTokens.get(accessToken)
    if (expiresAt === undefined) return 'unknown'
    return expiresAt > this.#world.time.now() ? 'good' : 'expired'
  }

  /** New tokens for the refresh token, which is spent by it; false when it is not good. */
  refresh(session: GuestSession, refreshToken: string): boolean {
    const { behaviour, time } = this.#world
    const isGood = refreshToken === session.refreshToken && session.refreshExpiresAt > time.now()
    if (isGood) this.#issue(session, behaviour.guestSessions.refreshLeavesOut)
    return isGood
  }

  /** None of its tokens is good from now on. */
  expire(session: GuestSession): void {
    const now = this.#world.time.now()
    for (const token of session.accessTokens.keys()) session.accessTokens.set(token, now)
    session.expiresAt = now
    session.refreshExpiresAt = now
    this.#watchExpiry(session)
  }

  #issue(session: GuestSession, leaveOut: readonly string[]): void {
    const { behaviour, chance, time } = this.#world
    const { guestTokenTtlSeconds, refreshTokenTtlSeconds, oldAccessToken } = behaviour.guestSessions
    session.rotations += 1
    session.expiresAt = time.now() + guestTokenTtlSeconds * 1_000
    session.refreshExpiresAt = time.now() + refreshTokenTtlSeconds * 1_000
    if (!leaveOut.includes('accessToken')) {
      if (oldAccessToken === 'dies') session.accessTokens.clear()
      session.accessToken = chance.opaque('guest access', session.id, session.rotations)
    }
    session.accessTokens.set(session.accessToken, session.expiresAt)
    if (!leaveOut.includes('refreshToken')) {
      session.refreshToken = chance.opaque('guest refresh', session.id, session.rotations)
    }
    this.#watchExpiry(session)
  }

  #watchExpiry(session: GuestSession): void {
    const { behaviour, time } = this.#world
    session.stopWatchingExpiry()
    session.stopWatchingExpiry = time.after(session.expiresAt - time.now(), () => {
      if (behaviour.guestSessions.expiredSocket === 'stays') return
      for (const link of session.links) link.close(1008, 'the access token has expired')
    })
  }
}
