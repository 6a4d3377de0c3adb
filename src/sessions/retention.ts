import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import type { SessionRegistry } from './registry.ts'

const everyMs = 60_000
/** So many at once, so that a sweep never holds up a caller. */
const batch = 200

/** How long what is theirs is kept once sessions are over, in milliseconds. */
export interface Kept {
  /** With events and messages. */
  sessionMs: number
  /** At least as long as the session. */
  auditMs: number
}

interface RetentionLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

/** Removes sessions with all that is theirs, and later their audit entries, of which a tombstone stays. */
export class Retention implements Disposable {
  readonly #store: Store
  readonly #registry: Pick<SessionRegistry, 'forgetEndedBefore'>
  readonly #clock: Clock
  readonly #kept: Kept
  readonly #log: RetentionLog
  #cancel: () => void = () => undefined

  constructor(
    store: Store,
    registry: Pick<SessionRegistry, 'forgetEndedBefore'>,
    clock: Clock,
    kept: Kept,
    log: RetentionLog,
  ) {
    this.#store = store
    this.#registry = registry
    this.#clock = clock
    this.#kept = kept
    this.#log = log
    this.#schedule(everyMs)
  }

  [Symbol.dispose](): void {
    this.#cancel()
  }

  #schedule(ms: number): void {
    this.#cancel = this.#clock.after(ms, () => {
      void this.#sweep().then((more) => this.#schedule(more ? 100 : everyMs))
    })
  }

  /** True when there may be more. */
  async #sweep(): Promise<boolean> {
    const now = this.#clock.now()
    const { sessionMs, auditMs } = this.#kept
    try {
      const sessions = await this.#store.removeEndedBefore(now - sessionMs, batch)
      if (sessions > 0) this.#registry.forgetEndedBefore(now - sessionMs)
      const audits = await this.#store.removeAuditBefore(now - auditMs, batch, now)
      if (sessions + audits > 0)
        this.#log.info({ sessions, audits }, 'removed what is past its retention')
      return sessions === batch || audits === batch
    } catch (err) {
      this.#log.warn({ err }, 'could not remove what is past its retention')
      return false
    }
  }
}
