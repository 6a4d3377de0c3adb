import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { GenesysClient } from '../genesys/client.ts'
import type { Dialect, GuestStatus } from '../genesys/dialect.ts'
import type { Trace } from '../trace.ts'
import type { Feed } from './feed.ts'
import type { SessionRegistry } from './registry.ts'
import { isOver, type Session } from './session.ts'
import { activated, ended } from './steps.ts'

export interface ActivationDeps {
  registry: SessionRegistry
  feed: Feed
  clock: Clock
  dialectOf(session: Session): Dialect
  client: Pick<GenesysClient, 'call'>
  /** For one question, with its wait for the quota. */
  timeoutMs: number
  /** Told when the platform could not be asked; the watch goes on. */
  onTrouble(sessionId: string, error: unknown): void
}

/** Between two questions while somebody waits, and while nobody does. */
const hurriedMs = 200
const hurriedForMs = 5000
const maxHurriedMs = 1000
const patientMs = [250, 500, 1000, 2000, 4000, 8000] as const
const givesUpAfterMs = 10 * 60_000

interface Watch {
  since: number
  asked: number
  hurriedBy: number
  hurriedSince: number
  /** The platform does not answer the question for this guest. */
  unanswerable: boolean
  /** Of the request that made the session; null where that was another process's. */
  trace: Trace | null
  /** To be told when it becomes so. */
  waiting: Set<() => void>
  /** Cancels the pending question's timer; undefined while one is being asked. */
  cancel: (() => void) | undefined
}

/**
 * Learns when pending sessions become active by asking the platform, more often while somebody waits. Sends may learn
 * it first (see Sender); whoever does, the journal tells everybody. One question at a time per session.
 */
export class Activation implements Disposable {
  readonly #deps: ActivationDeps
  readonly #watches = new Map<string, Watch>()
  #stopped = false

  constructor(deps: ActivationDeps) {
    this.#deps = deps
  }

  /** Starts asking, until the session is no longer pending or ten minutes have brought nothing. */
  watch(session: Session, trace: Trace | null = null): void {
    if (this.#stopped || session.state !== 'pending' || this.#watches.has(session.id)) return
    if (!this.#deps.dialectOf(session).guestStatus) return
    const now = this.#deps.clock.now()
    const watch: Watch = {
      since: now,
      asked: 0,
      hurriedBy: 0,
      hurriedSince: now,
      unanswerable: false,
      trace,
      waiting: new Set(),
      cancel: undefined,
    }
    this.#watches.set(session.id, watch)
    this.#schedule(session.id, watch)
  }

  /** False where only a send can tell. */
  canTell(session: Session): boolean {
    if (!this.#deps.dialectOf(session).guestStatus) return false
    return this.#watches.get(session.id)?.unanswerable !== true
  }

  /**
   * Resolves when the session is no longer pending, asking turns out to be of no use, `wake` is aborted, or `untilMs`
   * (epoch) has come. Asks often meanwhile. Says nothing: look at the session.
   */
  async wait(session: Session, untilMs: number, wake?: AbortSignal): Promise<void> {
    const { clock, feed, registry } = this.#deps
    const { promise, resolve } = Promise.withResolvers<void>()
    const cleanUp = [feed.onSession(session.id, (event) => event.messageId === null && resolve())]
    if (Number.isFinite(untilMs))
      cleanUp.push(clock.after(Math.max(0, untilMs - clock.now()), resolve))
    const onWake = () => resolve()
    wake?.addEventListener('abort', onWake, { once: true })
    cleanUp.push(() => wake?.removeEventListener('abort', onWake))
    this.watch(session)
    const watch = this.#watches.get(session.id)
    if (watch) {
      this.#hurry(session.id, watch)
      watch.waiting.add(resolve)
      cleanUp.push(() => watch.waiting.delete(resolve))
    }
    // It may have changed between the caller's look and the subscription.
    const now = await registry.find(session.id)
    if (wake?.aborted || now?.state !== 'pending') resolve()
    await promise
    if (watch) watch.hurriedBy -= 1
    for (const undo of cleanUp) undo()
  }

  /** Asks about a session that should take messages and does not; ends it when the platform says it is over. */
  async lookAgain(session: Session): Promise<void> {
    try {
      await this.#ask(session)
    } catch (error) {
      this.#deps.onTrouble(session.id, error)
    }
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    for (const watch of this.#watches.values()) watch.cancel?.()
    this.#watches.clear()
  }

  #hurry(sessionId: string, watch: Watch): void {
    watch.hurriedBy += 1
    if (watch.hurriedBy > 1) return
    watch.hurriedSince = this.#deps.clock.now()
    watch.since = watch.hurriedSince
    if (watch.cancel) this.#schedule(sessionId, watch)
  }

  #schedule(sessionId: string, watch: Watch): void {
    watch.cancel?.()
    watch.cancel = this.#deps.clock.after(this.#interval(watch), () => {
      watch.cancel = undefined
      void this.#look(sessionId, watch)
    })
  }

  #interval(watch: Watch): number {
    if (watch.hurriedBy === 0) return patientMs[Math.min(watch.asked, patientMs.length - 1)] ?? 8000
    const hurriedFor = this.#deps.clock.now() - watch.hurriedSince
    return hurriedFor < hurriedForMs ? hurriedMs : Math.min(maxHurriedMs, hurriedFor / 10)
  }

  async #look(sessionId: string, watch: Watch): Promise<void> {
    const { registry, clock } = this.#deps
    try {
      const session = await registry.find(sessionId)
      if (session?.state !== 'pending') return this.#forget(sessionId)
      const tired = watch.hurriedBy === 0 && clock.now() - watch.since > givesUpAfterMs
      if (tired) return this.#forget(sessionId)
      watch.asked += 1
      await this.#ask(session, watch)
    } catch (error) {
      this.#deps.onTrouble(sessionId, error)
    }
    if (this.#stopped || this.#watches.get(sessionId) !== watch) return
    if (!watch.unanswerable) this.#schedule(sessionId, watch)
  }

  async #ask(session: Session, watch?: Watch): Promise<void> {
    const { registry, clock } = this.#deps
    const trace = this.#watches.get(session.id)?.trace ?? null
    const status = await this.#status(session, trace)
    const cause = { at: clock.now(), actor: null, trace }
    if (status.kind === 'unanswerable' && watch) {
      watch.unanswerable = true
      for (const tell of watch.waiting) tell()
    }
    if (status.kind === 'active') {
      await registry.change(session.id, (s) =>
        s.state === 'pending' ? activated(s, cause) : undefined,
      )
    }
    if (status.kind === 'over') {
      const reason = `platform: ${status.reported}`
      await registry.change(session.id, (s) =>
        isOver(s) ? undefined : ended(s, 'closed', reason, cause),
      )
    }
    if (status.kind === 'active' || status.kind === 'over') this.#forget(session.id)
  }

  async #status(session: Session, trace: Trace | null): Promise<GuestStatus> {
    const { client, clock, dialectOf, timeoutMs } = this.#deps
    const { name, guestStatus } = dialectOf(session)
    if (!guestStatus) return { kind: 'unanswerable' }
    try {
      const reply = await client.call(guestStatus.request(session), {
        dialect: name,
        deadline: clock.now() + timeoutMs,
        priority: 'poll',
        trace,
      })
      return guestStatus.response(reply)
    } catch (error) {
      // Reading may need a scope that sending does not.
      const forbidden = error instanceof GatewayError && error.code === 'upstream-forbidden'
      if (forbidden) return { kind: 'unanswerable' }
      throw error
    }
  }

  #forget(sessionId: string): void {
    this.#watches.get(sessionId)?.cancel?.()
    this.#watches.delete(sessionId)
  }
}
