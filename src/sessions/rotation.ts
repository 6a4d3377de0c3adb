import type { Clock } from '../clock.ts'
import { type ErrorCode, GatewayError, UpstreamError } from '../errors.ts'
import type { GenesysClient } from '../genesys/client.ts'
import type { Dialect, RefreshOutcome } from '../genesys/dialect.ts'
import { Agenda } from './agenda.ts'
import { type Caller, gatewayItself } from './caller.ts'
import type { SessionRegistry } from './registry.ts'
import { checkOpen, isOver, type Session } from './session.ts'
import { askedBy, ended } from './steps.ts'
import { expiring, tokenRotated } from './stream-steps.ts'
import { untilStored } from './until-stored.ts'

export interface RotationDeps {
  registry: SessionRegistry
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  dialectOf(session: Session): Dialect
  /** For one refresh with its retries. */
  timeoutMs: number
  onTrouble(sessionId: string, error: unknown): void
  /** The session has ended with its token. */
  onEnd(sessionId: string): void
}

/** With less left than this a guest token is replaced. One that lives no longer is replaced at half its life. */
const aheadMs = 15 * 60_000
/** Where every new token is near that again, so long goes by between them. */
const pauseMs = 60_000
/** So long before the end callers are told, where the end has not been moved by then. */
const warningMs = 5 * 60_000
/** So long a token that has ended is tried to be replaced where the platform is there and does not do it. */
const patienceMs = 5 * 60_000
/** What it is while the platform is not there: until it is, nobody knows whether the guest can go on. */
const away: readonly ErrorCode[] = ['upstream-unavailable', 'upstream-timeout', 'upstream-error']
const retryMs = 15_000
/** As rarely a token that has long ended is tried: there may be thousands. */
const rarelyMs = 5 * 60_000

/**
 * Keeps guest tokens alive on a sliding window: each is replaced before it ends, both its parts in one commit, without
 * touching the open stream. A token that cannot be replaced any more ends its session as `expired`.
 */
export class Rotation implements Disposable {
  readonly #deps: RotationDeps
  readonly #agenda: Agenda
  readonly #running = new Map<string, Promise<Session>>()
  /** Since when the token could not be replaced, epoch ms, and whether callers were told. */
  readonly #failing = new Map<string, { since: number; warned: boolean }>()
  #stopped = false

  constructor(deps: RotationDeps) {
    this.#deps = deps
    this.#agenda = new Agenda(deps.clock, (sessionId) => {
      this.#due(sessionId).catch((error: unknown) => {
        deps.onTrouble(sessionId, error)
        this.#agenda.set(sessionId, deps.clock.now() + retryMs)
      })
    })
  }

  /** Takes a session with a new token on, where the token ends at a known time. */
  watch(session: Session): void {
    this.#plan(session, 0)
  }

  /** Takes on what an earlier process left: nobody knows how long the token was to live, only what is left of it. */
  takeUp(session: Session): void {
    const endsAt = this.#endOf(session)
    if (endsAt !== null) this.#agenda.set(session.id, endsAt - aheadMs)
  }

  /** Replaces the token now; whoever asks meanwhile gets the same. Throws what the platform refused. */
  rotate(sessionId: string, caller: Caller = gatewayItself): Promise<Session> {
    const running = this.#running.get(sessionId)
    if (running) return running
    const rotation = this.#rotate(sessionId, caller).finally(() => this.#running.delete(sessionId))
    this.#running.set(sessionId, rotation)
    return rotation
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    this.#agenda[Symbol.dispose]()
  }

  #plan(session: Session, leastMs: number): void {
    const now = this.#deps.clock.now()
    const endsAt = this.#endOf(session)
    if (endsAt === null) return
    // An end that is past tells of a clock that is wrong, not of the token.
    const lifeMs = endsAt > now ? endsAt - now : 2 * aheadMs
    const inMs = lifeMs > aheadMs ? Math.max(lifeMs - aheadMs, leastMs) : lifeMs / 2
    this.#agenda.set(session.id, now + inMs)
  }

  #endOf(session: Session): number | null {
    if (isOver(session) || !this.#deps.dialectOf(session).refreshToken) return null
    return session.tokenExpiresAt
  }

  async #due(sessionId: string): Promise<void> {
    const { registry, clock, onTrouble } = this.#deps
    const session = await registry.find(sessionId)
    const endsAt = session ? this.#endOf(session) : null
    if (endsAt === null) {
      this.#failing.delete(sessionId)
      return
    }
    let isAway = false
    try {
      await this.rotate(sessionId)
      return
    } catch (error) {
      onTrouble(sessionId, error)
      if (isOver(await registry.get(sessionId))) return
      isAway = error instanceof GatewayError && away.includes(error.code)
    }
    const now = clock.now()
    const failing = this.#failing.get(sessionId) ?? { since: now, warned: false }
    this.#failing.set(sessionId, failing)
    const keptForMs = session && this.#deps.dialectOf(session).stream?.keptForMs?.(session)
    const limitMs = isAway ? (keptForMs ?? patienceMs) : patienceMs
    if (now - Math.max(endsAt, failing.since) >= limitMs) {
      return this.#expire(sessionId, 'the guest token ended and could not be replaced')
    }
    if (now >= endsAt - warningMs && !failing.warned) {
      failing.warned = true
      await registry.change(sessionId, (current) =>
        isOver(current) ? undefined : expiring(current, askedBy(gatewayItself, clock.now())),
      )
    }
    // Often enough that a token of a few seconds has its chances too.
    const soonMs = Math.min(retryMs, Math.max(250, (endsAt - now) / 4))
    const laterMs = Math.min(rarelyMs, Math.max(retryMs, (now - endsAt) / 4))
    this.#agenda.set(sessionId, now + (endsAt > now ? soonMs : laterMs))
  }

  async #expire(sessionId: string, reason: string, caller = gatewayItself): Promise<void> {
    this.#failing.delete(sessionId)
    const { registry, clock } = this.#deps
    await registry.change(sessionId, (current) =>
      isOver(current) ? undefined : ended(current, 'expired', reason, askedBy(caller, clock.now())),
    )
    this.#deps.onEnd(sessionId)
  }

  async #rotate(sessionId: string, caller: Caller): Promise<Session> {
    const { registry, client, clock, dialectOf, timeoutMs, onTrouble } = this.#deps
    const session = await registry.get(sessionId)
    const { name, refreshToken } = dialectOf(session)
    if (!refreshToken) {
      throw new GatewayError('not-supported-by-dialect', `${name} has no token to rotate`)
    }
    checkOpen(session)
    const outcome = await client
      .call(refreshToken.request(session), {
        dialect: name,
        deadline: clock.now() + timeoutMs,
        priority: 'refresh',
        trace: caller.trace,
        requestId: caller.requestId,
      })
      .then((reply) => refreshToken.response(reply, session), deadByItsAnswer)
    if (outcome.kind === 'unreadable') {
      throw new GatewayError('upstream-invalid-response', outcome.detail)
    }
    if (outcome.kind === 'dead') {
      await this.#expire(sessionId, `the refresh token is spent: ${outcome.detail}`, caller)
      throw new GatewayError('session-closed', 'The platform no longer accepts the refresh token')
    }
    const { guest, tokenExpiresAt } = outcome
    const persistence = {
      clock,
      isStopped: () => this.#stopped,
      onTrouble: (error: unknown) => onTrouble(sessionId, error),
    }
    // The old refresh token is spent.
    const rotated = await untilStored(persistence, () =>
      registry.change(sessionId, (current) =>
        isOver(current)
          ? undefined
          : tokenRotated(current, guest, tokenExpiresAt, askedBy(caller, clock.now())),
      ),
    )
    this.#failing.delete(sessionId)
    if (tokenExpiresAt === session.tokenExpiresAt && !isOver(rotated)) {
      // It is new all the same; the platform does not say for how long it is good.
      this.#agenda.set(sessionId, clock.now() + aheadMs)
    } else this.#plan(rotated, pauseMs)
    return rotated
  }
}

/** Refused with a fresh OAuth token too, so it is the guest's own token that the platform does not accept. */
function deadByItsAnswer(error: unknown): RefreshOutcome {
  const refused = error instanceof UpstreamError && error.code === 'upstream-unauthorized'
  if (refused && error.attempts > 1) return { kind: 'dead', detail: error.message }
  throw error
}
