import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { GenesysClient, Priority } from '../genesys/client.ts'
import type { Dialect, GuestStatus } from '../genesys/dialect.ts'
import type { Trace } from '../trace.ts'
import { nextQuestionMs } from './activation-pace.ts'
import type { Feed } from './feed.ts'
import type { SessionRegistry } from './registry.ts'
import { type DialectName, isOver, type Session } from './session.ts'
import { activated, ended } from './steps.ts'

export interface ActivationDeps {
  registry: SessionRegistry
  feed: Feed
  clock: Clock
  dialectOf(session: Session): Dialect
  client: Pick<GenesysClient, 'call' | 'waitMs' | 'spacingMs'>
  /** For one question. */
  timeoutMs: number
  /** Told when the platform could not be asked; the watch goes on. */
  onTrouble(sessionId: string, error: unknown): void
}

const givesUpAfterMs = 10 * 60_000

interface Watch {
  id: string
  dialect: DialectName
  /** When it began, or somebody began to wait. */
  since: number
  /** When it was asked about last, or could not be; until then `since`. */
  lookedAt: number
  /** The platform does not answer the question for this guest. */
  unanswerable: boolean
  /** Of the request that made the session; null where that was another process's. */
  trace: Trace | null
  /** Who waits for it; told when it is of no use to ask. */
  waiting: Set<() => void>
  /** Cancels the pending question's timer; undefined while one is being asked. */
  cancel: (() => void) | undefined
}

/**
 * Learns when pending sessions become active by asking the platform, more often while somebody waits, and only while
 * the quota has room for it. Sends may learn it first (see Sender); whoever does, the journal tells everybody. One
 * question at a time per session.
 */
export class Activation implements Disposable {
  readonly #deps: ActivationDeps
  readonly #watches = new Map<string, Watch>()
  /** Those somebody waits for. */
  readonly #awaited = new Set<Watch>()
  #stopped = false

  constructor(deps: ActivationDeps) {
    this.#deps = deps
  }

  /** Starts asking, until the session is no longer pending or ten minutes have brought nothing. */
  watch(session: Session, trace: Trace | null = null): void {
    if (this.#stopped || session.state !== 'pending' || this.#watches.has(session.id)) return
    const { clock, dialectOf } = this.#deps
    if (!dialectOf(session).guestStatus) return
    const watch: Watch = {
      id: session.id,
      dialect: session.dialect,
      since: clock.now(),
      lookedAt: clock.now(),
      unanswerable: false,
      trace,
      waiting: new Set(),
      cancel: undefined,
    }
    this.#watches.set(session.id, watch)
    this.#schedule(watch)
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
      this.#await(watch, resolve)
      cleanUp.push(() => this.#awaitNoMore(watch, resolve))
    }
    // It may have changed between the caller's look and the subscription.
    const now = await registry.find(session.id)
    if (wake?.aborted || now?.state !== 'pending') resolve()
    await promise
    for (const undo of cleanUp) undo()
  }

  /** Asks about a session that should take messages and does not; ends it when the platform says it is over. */
  async lookAgain(session: Session): Promise<void> {
    try {
      await this.#ask(session, 'awaited-poll')
    } catch (error) {
      this.#deps.onTrouble(session.id, error)
    }
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    for (const watch of this.#watches.values()) watch.cancel?.()
    this.#watches.clear()
  }

  #await(watch: Watch, tell: () => void): void {
    watch.waiting.add(tell)
    if (watch.waiting.size > 1) return
    this.#awaited.add(watch)
    watch.since = this.#deps.clock.now()
    watch.lookedAt = watch.since
    if (watch.cancel) this.#schedule(watch)
  }

  #awaitNoMore(watch: Watch, tell: () => void): void {
    watch.waiting.delete(tell)
    if (watch.waiting.size === 0) this.#awaited.delete(watch)
  }

  #schedule(watch: Watch, notBefore = 0): void {
    const { clock } = this.#deps
    const at = Math.max(this.#dueAt(watch), notBefore)
    watch.cancel?.()
    watch.cancel = clock.after(Math.max(0, at - clock.now()), () => {
      watch.cancel = undefined
      // There may be more of them now.
      if (this.#dueAt(watch) > clock.now()) this.#schedule(watch)
      else void this.#look(watch)
    })
  }

  /** When to ask next, epoch ms, going by how many there are to ask about. */
  #dueAt(watch: Watch): number {
    const { since, lookedAt, dialect } = watch
    const isAwaited = this.#awaited.has(watch)
    const sessions = isAwaited ? this.#awaited.size : this.#watches.size
    const spacingMs = this.#deps.client.spacingMs(dialect)
    return lookedAt + nextQuestionMs(isAwaited, lookedAt - since, { sessions, spacingMs })
  }

  async #look(watch: Watch): Promise<void> {
    const { registry, client, clock } = this.#deps
    const { id, dialect } = watch
    const isAwaited = this.#awaited.has(watch)
    const priority = isAwaited ? 'awaited-poll' : 'poll'
    const noRoomMs = client.waitMs(dialect, priority)
    try {
      const session = await registry.find(id)
      if (session?.state !== 'pending') return this.#forget(id)
      const isTired = !isAwaited && clock.now() - watch.since > givesUpAfterMs
      if (isTired) return this.#forget(id)
      if (noRoomMs === 0) await this.#ask(session, priority, watch)
    } catch (error) {
      this.#deps.onTrouble(id, error)
    }
    if (this.#stopped || this.#watches.get(id) !== watch) return
    watch.lookedAt = clock.now()
    if (!watch.unanswerable) this.#schedule(watch, watch.lookedAt + noRoomMs)
  }

  async #ask(session: Session, priority: Priority, watch?: Watch): Promise<void> {
    const { registry, clock } = this.#deps
    const trace = this.#watches.get(session.id)?.trace ?? null
    const status = await this.#status(session, priority, trace)
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

  async #status(session: Session, priority: Priority, trace: Trace | null): Promise<GuestStatus> {
    const { client, clock, dialectOf, timeoutMs } = this.#deps
    const { name, guestStatus } = dialectOf(session)
    if (!guestStatus) return { kind: 'unanswerable' }
    try {
      const reply = await client.call(guestStatus.request(session), {
        dialect: name,
        deadline: clock.now() + timeoutMs,
        priority,
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
