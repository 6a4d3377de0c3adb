import type { Dialect } from '../genesys/dialect.ts'
import type { Json } from '../json.ts'
import type { Trace } from '../trace.ts'
import { Bridge } from './bridge.ts'
import type { BridgeDeps } from './bridge-deps.ts'
import type { Carry } from './carrier.ts'
import { DialTurns } from './dial-turns.ts'
import { ExpiryWatch } from './expiry-watch.ts'
import { type DialectName, isOver, type Session } from './session.ts'

export interface BridgesDeps extends Omit<BridgeDeps, 'onEnd' | 'turns' | 'expiry'> {
  dialectOf(session: Session): Dialect
}

/** The streams of all sessions whose dialect has one: one bridge a session, never two. */
export class Bridges implements AsyncDisposable {
  readonly #deps: BridgesDeps
  readonly #bridges = new Map<string, Bridge>()
  /** Shared by all bridges of a dialect. */
  readonly #depsOf = new Map<DialectName, BridgeDeps>()
  readonly #expiry: ExpiryWatch
  #stopped = false

  constructor(deps: BridgesDeps) {
    this.#deps = deps
    this.#expiry = new ExpiryWatch(deps)
  }

  /** Streams that are open now. */
  get open(): number {
    let open = 0
    for (const bridge of this.#bridges.values()) if (bridge.isOpen) open += 1
    return open
  }

  /** Why the session's stream was lost the last time; undefined where none is kept. */
  lossOf(sessionId: string): string | undefined {
    return this.#bridges.get(sessionId)?.outage.reason
  }

  /** Dials for a session that has a stream and is not over; again is harmless. `trace`: of the request that made it. */
  start(session: Session, trace: Trace | null = null): Bridge | undefined {
    const dialect = this.#deps.dialectOf(session)
    const running = this.#bridges.get(session.id)
    if (running || !dialect.stream || isOver(session) || this.#stopped) return running
    const bridge = new Bridge(session, dialect, this.#bridgeDeps(dialect), trace)
    this.#bridges.set(session.id, bridge)
    void bridge.start()
    return bridge
  }

  /** Shows that the guest types. Throws `upstream-unavailable` while the stream is not open. */
  async type(session: Session, frame: Json): Promise<void> {
    await this.start(session)?.type(frame)
  }

  /** The guest leaves: says goodbye on the platform where the dialect does. `session` as it was. */
  async stop(session: Session, trace: Trace | null = null): Promise<void> {
    await this.#bridges.get(session.id)?.stop(session, trace)
  }

  /** The session is over: nothing more is to come of its stream. */
  end(sessionId: string): void {
    this.#bridges.get(sessionId)?.end()
  }

  /** Takes messages along the session's stream. */
  readonly carry: Carry = async (dialect, session, text, flight) => {
    const bridge = this.start(session)
    if (!bridge) throw new Error(`${dialect.name} has no stream for ${session.id}`)
    return bridge.carry(session, text, flight)
  }

  /** Closes every connection; sessions live on, and are dialled again by the next process. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#expiry[Symbol.dispose]()
    await Promise.all([...this.#bridges.values()].map((bridge) => bridge.stop()))
  }

  #bridgeDeps({ name, stream }: Dialect): BridgeDeps {
    const known = this.#depsOf.get(name)
    if (known) return known
    const deps: BridgeDeps = {
      ...this.#deps,
      turns: new DialTurns(this.#deps.clock, stream?.dialLimit),
      expiry: this.#expiry,
      onEnd: (sessionId) => {
        this.#expiry.forget(sessionId)
        this.#bridges.delete(sessionId)
      },
    }
    this.#depsOf.set(name, deps)
    return deps
  }
}
