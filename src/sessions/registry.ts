import { GatewayError } from '../errors.ts'
import { type IdempotencyRecord, type Store, VersionConflict } from '../store/store.ts'
import { erasedStep } from './erasure.ts'
import { isOver, type Session } from './session.ts'
import type { Step } from './steps.ts'
import { storeTrouble } from './store-trouble.ts'
import { sessionText } from './views.ts'

/** What a decision makes of a session. Nothing when there is nothing to do. */
export type Decision = (Step & { idempotency?: IdempotencyRecord | undefined }) | undefined

interface Live {
  session: Session
  /** The same as callers see it, once somebody has asked. */
  text: string | undefined
  /** What the change under way makes of it. */
  becomes: Session | undefined
  /** The last change asked for; the next one starts when it has ended. */
  last: Promise<unknown>
  waiting: number
}

const nothing = Promise.resolve()

/**
 * The sessions in use, in memory, over the store that has them all. Every change of a session goes through `change`,
 * one at a time per session, and is seen by nobody before the store has it; by those who follow the journal, as soon as it
 * tells of it.
 */
export class SessionRegistry implements Disposable {
  readonly #store: Store
  readonly #capacity: number
  /** Least recently used first. */
  readonly #live = new Map<string, Live>()
  readonly #unfollow: () => void

  /**
   * `capacity` sessions are kept in memory; the rest come back from the store when touched. Made before whoever looks
   * sessions up when the journal tells of them, so that it is told first.
   */
  constructor(store: Store, capacity = 20_000) {
    this.#store = store
    this.#capacity = capacity
    this.#unfollow = store.follow((events) => {
      for (const { sessionId } of events) {
        const live = this.#live.get(sessionId)
        if (live?.becomes) show(live, live.becomes)
      }
    })
  }

  /** The session as last committed. */
  async find(id: string): Promise<Session | undefined> {
    return (await this.#load(id))?.session
  }

  /** The same, when it is in memory; undefined says nothing about the store. */
  peek(id: string): Session | undefined {
    return this.#live.get(id)?.session
  }

  /** What `peek` gives as callers see it, as JSON text; made once for each state of the session. */
  peekText(id: string): string | undefined {
    const live = this.#inMemory(id)
    if (!live) return undefined
    live.text ??= sessionText(live.session)
    return live.text
  }

  /** Throws `session-not-found`. */
  async get(id: string): Promise<Session> {
    // Most are in memory, and to await a promise each from `find` and `#load` costs as much as the rest of a read.
    const session = this.#inMemory(id)?.session ?? (await this.find(id))
    if (!session) throw new GatewayError('session-not-found', `There is no session ${id}`)
    return session
  }

  /** Lets go of sessions that ended before, epoch ms: the store has removed them. */
  forgetEndedBefore(at: number): void {
    for (const [id, { session, waiting }] of this.#live) {
      const endedAt = isOver(session) ? (session.closedAt ?? session.lastActivityAt) : Infinity
      if (endedAt < at && waiting === 0) this.#live.delete(id)
    }
  }

  async insert(decision: NonNullable<Decision>): Promise<Session> {
    try {
      await this.#commit(decision, 0)
    } catch (cause) {
      throw storeTrouble(cause)
    }
    // Whoever heard of it may have been here first.
    if (!this.#live.has(decision.session.id)) this.#keep(decision.session)
    return decision.session
  }

  /**
   * Decides on the session as it is now and commits what was decided; returns the session after. `decide` may be
   * called again when somebody else was faster, and may throw to refuse.
   */
  async change(id: string, decide: (session: Session) => Decision): Promise<Session> {
    const live = this.#inMemory(id) ?? (await this.#load(id))
    if (!live) throw new GatewayError('session-not-found', `There is no session ${id}`)
    const step = () => this.#step(id, live, decide)
    live.waiting += 1
    const turn = live.waiting === 1 ? step() : live.last.then(step, step)
    live.last = turn
    try {
      return await turn
    } finally {
      live.waiting -= 1
    }
  }

  async #step(id: string, live: Live, decide: (session: Session) => Decision): Promise<Session> {
    for (;;) {
      const decision = decide(live.session)
      if (!decision) return live.session
      try {
        live.becomes = decision.session
        await this.#commit(decision, live.session.version)
        show(live, decision.session)
        return decision.session
      } catch (error) {
        live.becomes = undefined
        if (!(error instanceof VersionConflict)) throw storeTrouble(error)
        const current = await this.#store.findSession(id)
        if (!current) throw new GatewayError('session-not-found', `There is no session ${id}`)
        show(live, current)
      }
    }
  }

  #commit(decided: NonNullable<Decision>, expectedVersion: number): Promise<void> {
    // Whatever was on its way when the guest was taken out brings nothing of it back.
    const decision =
      decided.session.erasedAt === null ? decided : { ...decided, ...erasedStep(decided) }
    return this.#store.commit({ ...decision, expectedVersion })
  }

  async #load(id: string): Promise<Live | undefined> {
    const live = this.#inMemory(id)
    if (live) return live
    const session = await this.#store.findSession(id)
    // Somebody else may have loaded it meanwhile; there must be one live copy.
    return this.#live.get(id) ?? (session && this.#keep(session))
  }

  #inMemory(id: string): Live | undefined {
    const live = this.#live.get(id)
    // Who was used last only matters once somebody may have to go.
    if (live && this.#live.size > this.#capacity / 2) {
      this.#live.delete(id)
      this.#live.set(id, live)
    }
    return live
  }

  #keep(session: Session): Live {
    const live: Live = {
      session,
      text: undefined,
      becomes: undefined,
      last: nothing,
      waiting: 0,
    }
    this.#live.set(session.id, live)
    for (const [id, oldest] of this.#live) {
      if (this.#live.size <= this.#capacity) break
      if (oldest.waiting === 0) this.#live.delete(id)
    }
    return live
  }

  [Symbol.dispose](): void {
    this.#unfollow()
  }
}

function show(live: Live, session: Session): void {
  live.session = session
  live.text = undefined
  live.becomes = undefined
}
