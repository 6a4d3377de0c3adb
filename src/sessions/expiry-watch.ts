import type { Clock } from '../clock.ts'
import { Agenda } from './agenda.ts'
import type { SessionRegistry } from './registry.ts'
import { isOver } from './session.ts'
import { expiring } from './stream-steps.ts'

export interface ExpiryWatchDeps {
  registry: SessionRegistry
  clock: Clock
  onTrouble(sessionId: string, error: unknown): void
}

/** So long before the end callers are told. */
const warningMs = 5 * 60_000

/** Tells callers, once, that a session will end whose end only its guest can put off: by speaking. */
export class ExpiryWatch implements Disposable {
  readonly #deps: ExpiryWatchDeps
  readonly #agenda: Agenda
  /** Ends as the platform or the guest moved them last, epoch ms. */
  readonly #ends = new Map<string, number>()

  constructor(deps: ExpiryWatchDeps) {
    this.#deps = deps
    this.#agenda = new Agenda(deps.clock, (sessionId) => {
      this.#warn(sessionId).catch((error: unknown) => deps.onTrouble(sessionId, error))
    })
  }

  /** The platform says when the session ends, epoch ms. */
  set(sessionId: string, endsAt: number): void {
    if (this.#ends.get(sessionId) === endsAt) return
    this.#ends.set(sessionId, endsAt)
    this.#agenda.set(sessionId, endsAt - warningMs)
  }

  /** The guest has spoken, and by that moved an end that is known. */
  move(sessionId: string, endsAt: number): void {
    if (endsAt > (this.#ends.get(sessionId) ?? Number.POSITIVE_INFINITY))
      this.set(sessionId, endsAt)
  }

  forget(sessionId: string): void {
    this.#ends.delete(sessionId)
    this.#agenda.drop(sessionId)
  }

  [Symbol.dispose](): void {
    this.#agenda[Symbol.dispose]()
  }

  async #warn(sessionId: string): Promise<void> {
    const { registry, clock } = this.#deps
    const tokenExpiresAt = this.#ends.get(sessionId) ?? null
    const cause = { at: clock.now(), actor: null, trace: null }
    await registry.change(sessionId, (current) =>
      isOver(current) ? undefined : expiring({ ...current, tokenExpiresAt }, cause),
    )
  }
}
