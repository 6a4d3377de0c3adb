import type { Clock } from '../clock.ts'
import { GatewayError, UpstreamError } from '../errors.ts'
import type { GenesysClient } from '../genesys/client.ts'
import type { Dialect, RefreshOutcome } from '../genesys/dialect.ts'
import { Agenda } from './agenda.ts'
import { type Caller, gatewayItself, traceOf } from './caller.ts'
import type { SessionRegistry } from './registry.ts'
import { isOver, type Session } from './session.ts'
import { ended } from './steps.ts'
import { expiring, tokenRotated } from './stream-steps.ts'

export interface RotationDeps {
  registry: SessionRegistry
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  dialectOf(session: Session): Dialect
  /** For one refresh with its retries. */
  timeoutMs: number
  onTrouble(sessionId: string, error: unknown): void
}

/** With less left than this a guest token is replaced. A shorter-lived one is replaced at half its life. */
const aheadMs = 15 * 60_000
/** So long before the end callers are told, where the end has not been moved by then. */
const warningMs = 5 * 60_000
const retryMs = 15_000

/**
 * Keeps guest tokens alive on a sliding window: each is replaced before it ends, both its parts in one commit, without
 * touching the open stream. A token that cannot be replaced any more ends its session as `expired`.
 */
export class Rotation implements Disposable {
  readonly #deps: RotationDeps
  readonly #agenda: Agenda
  readonly #running = new Map<string, Promise<Session>>()
  readonly #warned = new Set<string>()

  constructor(deps: RotationDeps) {
    this.#deps = deps
    this.#agenda = new Agenda(deps.clock, (sessionId) => {
      this.#due(sessionId).catch((error: unknown) => {
        deps.onTrouble(sessionId, error)
        this.#agenda.set(sessionId, deps.clock.now() + retryMs)
      })
    })
  }

  /** Takes the session on, where its token ends at a known time. */
  watch(session: Session): void {
    const { tokenExpiresAt } = session
    this.#warned.delete(session.id)
    if (tokenExpiresAt === null || isOver(session)) return
    if (!this.#deps.dialectOf(session).refreshToken) return
    const now = this.#deps.clock.now()
    this.#agenda.set(
      session.id,
      Math.max(tokenExpiresAt - aheadMs, now + (tokenExpiresAt - now) / 2),
    )
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
    this.#agenda[Symbol.dispose]()
  }

  async #due(sessionId: string): Promise<void> {
    const { registry, clock, onTrouble } = this.#deps
    const session = await registry.find(sessionId)
    if (!session || isOver(session) || session.tokenExpiresAt === null) return
    const endsAt = session.tokenExpiresAt
    const cause = { at: clock.now(), actor: null, trace: null }
    if (clock.now() >= endsAt) {
      await registry.change(sessionId, (current) =>
        isOver(current) ? undefined : ended(current, 'expired', 'the guest token ended', cause),
      )
      return
    }
    const failure = await this.rotate(sessionId).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (failure === undefined) return
    onTrouble(sessionId, failure)
    if (clock.now() >= endsAt - warningMs && !this.#warned.has(sessionId)) {
      this.#warned.add(sessionId)
      await registry.change(sessionId, (current) =>
        isOver(current) ? undefined : expiring(current, cause),
      )
    }
    const soon = Math.min(retryMs, (endsAt - clock.now()) / 4)
    this.#agenda.set(sessionId, clock.now() + Math.max(soon, 250))
  }

  async #rotate(sessionId: string, caller: Caller): Promise<Session> {
    const { registry, client, clock, dialectOf, timeoutMs } = this.#deps
    const session = await registry.get(sessionId)
    const { name, refreshToken } = dialectOf(session)
    if (!refreshToken) {
      throw new GatewayError('not-supported-by-dialect', `${name} has no token to rotate`)
    }
    if (isOver(session)) {
      throw new GatewayError(
        'session-closed',
        `The session is ${session.state}: ${session.closeReason}`,
      )
    }
    const outcome = await client
      .call(refreshToken.request(session), {
        dialect: name,
        deadline: clock.now() + timeoutMs,
        priority: 'refresh',
        trace: traceOf(caller),
      })
      .then((reply) => refreshToken.response(reply, session), deadByItsAnswer)
    const cause = { at: clock.now(), actor: caller.name, trace: caller.traceparent }
    if (outcome.kind === 'unreadable') {
      throw new GatewayError('upstream-invalid-response', outcome.detail)
    }
    if (outcome.kind === 'dead') {
      await registry.change(sessionId, (current) =>
        isOver(current)
          ? undefined
          : ended(current, 'expired', `the refresh token is spent: ${outcome.detail}`, cause),
      )
      throw new GatewayError('session-closed', 'The platform no longer accepts the refresh token')
    }
    const rotated = await registry.change(sessionId, (current) =>
      isOver(current)
        ? undefined
        : tokenRotated(current, outcome.guest, outcome.tokenExpiresAt, cause),
    )
    this.watch(rotated)
    return rotated
  }
}

/** Refused with a fresh OAuth token too, so it is the guest's own token that the platform does not accept. */
function deadByItsAnswer(error: unknown): RefreshOutcome {
  const refused = error instanceof UpstreamError && error.code === 'upstream-unauthorized'
  if (refused && error.attempts > 1) return { kind: 'dead', detail: error.message }
  throw error
}
