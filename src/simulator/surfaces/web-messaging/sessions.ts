/** The sessions there are, by token: who is connected to them, and how they end. */
import type { World } from '../../world.ts'
import { push, type ServerFrame } from './frames.ts'
import { type Connection, emptySession, type GuestSession } from './session.ts'

/** Past this many the oldest session is forgotten. */
const maxSessions = 50_000

export class GuestSessions {
  readonly #world: World
  readonly #byToken = new Map<string, GuestSession>()
  #opened = 0

  constructor(world: World) {
    this.#world = world
  }

  find(token: string): GuestSession | undefined {
    return this.#byToken.get(token)
  }

  /** By its token, its own id or its conversation's. */
  lookUp(id: string): GuestSession | undefined {
    const known = this.#byToken.get(id)
    if (known) return known
    for (const session of this.#byToken.values()) {
      if (session.id === id || session.conversation?.id === id) return session
    }
    return undefined
  }

  all(): GuestSession[] {
    return [...this.#byToken.values()]
  }

  /** A fresh one for the token. Connections of the one before, if any, go over to it. */
  open(token: string, deploymentId: string): GuestSession {
    const before = this.#byToken.get(token)
    this.#opened += 1
    const session = emptySession({
      id: this.#world.chance.uuid('web messaging session', this.#opened),
      token,
      deploymentId,
      expiresAt: this.#world.time.now() + this.#durationMs,
    })
    this.#byToken.delete(token)
    this.#byToken.set(token, session)
    if (before) {
      before.readable = false
      session.meters = before.meters
      before.stopWatchingExpiry()
      this.#endConversation(before)
      for (const connection of before.connections.splice(0)) this.attach(session, connection)
    }
    if (this.#byToken.size > maxSessions) this.#forgetOldest()
    this.#watchExpiry(session)
    return session
  }

  /** Every message of the guest starts its time anew. */
  touch(session: GuestSession): void {
    session.expiresAt = this.#world.time.now() + this.#durationMs
  }

  /** To all connections of the session. */
  push(session: GuestSession, frame: ServerFrame): void {
    for (const connection of [...session.connections]) connection.push(frame)
  }

  /** The oldest goes when there are too many. */
  attach(session: GuestSession, connection: Connection): void {
    if (connection.session !== session) {
      this.detach(connection)
      connection.session = session
      connection.link.subject = session.id
      session.connections.push(connection)
    }
    const { connectionsPerSession } = this.#world.behaviour.webMessaging.limits
    if (connectionsPerSession === 'off') return
    while (session.connections.length > connectionsPerSession) {
      const [oldest] = session.connections
      if (oldest) this.displace(oldest)
    }
  }

  detach(connection: Connection): void {
    const siblings = connection.session?.connections ?? []
    const index = siblings.indexOf(connection)
    if (index >= 0) siblings.splice(index, 1)
    connection.session = null
  }

  /** Tells a connection that it is not wanted any more, and later makes sure of it. */
  displace(connection: Connection, reason?: string): void {
    connection.push(push('ConnectionClosedEvent', reason === undefined ? {} : { reason }))
    this.detach(connection)
    const { closesAfterSeconds } = this.#world.behaviour.webMessaging
    if (closesAfterSeconds === 'never') return
    this.#world.time.after(closesAfterSeconds * 1_000, () => connection.link.close(1000, 'closed'))
  }

  displaceAll(session: GuestSession, reason?: string): void {
    for (const connection of [...session.connections]) this.displace(connection, reason)
  }

  /** Its time has come: those connected hear of it, and everything they ask later is refused. */
  expire(session: GuestSession): void {
    if (session.expired) return
    session.expired = true
    session.stopWatchingExpiry()
    session.expiresAt = this.#world.time.now()
    this.#endConversation(session)
    this.push(session, { ...push('SessionExpiredEvent', {}), type: 'response' })
  }

  /** Nobody knows the token any more. */
  forget(session: GuestSession): void {
    session.readable = this.#world.behaviour.webMessaging.clearedHistory === 'readable'
    for (const connection of [...session.connections]) this.detach(connection)
    session.stopWatchingExpiry()
    this.#endConversation(session)
    if (this.#byToken.get(session.token) === session) this.#byToken.delete(session.token)
  }

  get #durationMs(): number {
    return this.#world.behaviour.webMessaging.deployment.sessionDurationSeconds * 1_000
  }

  #endConversation(session: GuestSession): void {
    session.unfollow()
    if (session.conversation) this.#world.conversations.close(session.conversation)
  }

  /** One appointment at a time: when it comes and the guest has spoken since, it is made anew. */
  #watchExpiry(session: GuestSession): void {
    const { time } = this.#world
    session.stopWatchingExpiry = time.after(session.expiresAt - time.now(), () => {
      if (session.expiresAt <= time.now()) this.expire(session)
      else this.#watchExpiry(session)
    })
  }

  #forgetOldest(): void {
    const [oldest] = this.#byToken.values()
    if (oldest) this.forget(oldest)
  }
}
