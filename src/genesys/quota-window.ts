/**
 * One sliding window: no `windowMs` ever sees more than `limit` calls leave. A call's place is kept until the call has
 * ended plus one window, so call n + limit leaves only when call n was over at least a window before, whatever the
 * network does. Bottleneck is the gate; who goes next, who is refused and when is decided here, before it is asked.
 */
import type { Clock } from '../clock.ts'
import { UpstreamError } from '../errors.ts'
import { type Gate, type Leave, openGate } from './bottleneck.ts'
import { timerMs } from './wait.ts'

/** `off`: no limit known; calls still stop while the platform asks for a pause. */
export type QuotaLimit = { limit: number; windowMs: number } | 'off'

/** Who goes first. */
export const priorities = ['refresh', 'message', 'create', 'awaited-poll', 'poll'] as const
export type Priority = (typeof priorities)[number]

/** The part of the places that questions leave to others: more where nobody waits for the answer. */
const leftToOthers: Partial<Record<Priority, number>> = { 'awaited-poll': 0.1, poll: 0.5 }

export interface Ask {
  priority: Priority
  /** Epoch ms. */
  deadline: number
  signal?: AbortSignal | undefined
}

/** Ends the call's hold on its place: at once if nothing left the house, else a window later. */
export type Release = (left: boolean) => void

interface Waiter {
  rank: number
  deadline: number
  settled: boolean
  admit: (release: Release) => void
  refuse: (error: unknown) => void
}

/** Node's timers may fire up to 1 ms early. */
const timerSlackMs = 2

export class QuotaWindow {
  readonly limit: number
  readonly windowMs: number
  readonly #clock: Clock
  readonly #gate: Gate | undefined
  readonly #mayQueue: () => boolean
  readonly #lines = priorities.map(() => new Set<Waiter>())
  /** By rank: how many places may be taken for such a caller to get one. */
  readonly #caps: readonly number[]
  /** Epoch ms when the places of ended calls come back, ascending; for estimates only. */
  readonly #returns: number[] = []
  #taken = 0
  #pausedUntil = 0
  #resumed: Promise<void> | undefined

  /** `mayQueue` is asked before a caller is put in line. */
  constructor(quota: QuotaLimit, clock: Clock, mayQueue: () => boolean) {
    this.limit = quota === 'off' ? Number.POSITIVE_INFINITY : quota.limit
    this.windowMs = quota === 'off' ? 0 : quota.windowMs
    this.#gate = quota === 'off' ? undefined : openGate(quota.limit)
    this.#caps = priorities.map((priority) => {
      const part = quota === 'off' ? 0 : (leftToOthers[priority] ?? 0)
      return part === 0 ? this.limit : this.limit - Math.floor(this.limit * part)
    })
    this.#clock = clock
    this.#mayQueue = mayQueue
  }

  get taken(): number {
    return this.#taken
  }

  get queued(): number {
    return this.#lines.reduce((sum, line) => sum + line.size, 0)
  }

  get pausedUntil(): number | null {
    return this.#pausedUntil > this.#clock.now() ? this.#pausedUntil : null
  }

  /** How long a call asked for now would wait, milliseconds, going by the calls that are known of. */
  waitMs(priority: Priority): number {
    const rank = priorities.indexOf(priority)
    let ahead = 0
    for (let r = 0; r <= rank; r++) ahead += this.#lines[r]?.size ?? 0
    const now = this.#clock.now()
    const placeAt = this.#placeAt(this.#taken + ahead - this.#cap(rank), now)
    return Math.max(0, this.#pausedUntil - now, placeAt - now)
  }

  /** A place, or `rate-limited` at once when there will be none before the deadline or the line is full. */
  acquire(ask: Ask): Release | Promise<Release> {
    const now = this.#clock.now()
    if (this.#gate === undefined && now >= this.#pausedUntil) {
      this.#taken++
      return this.#releaseUnlimited
    }
    const atOnce = this.#atOnce(priorities.indexOf(ask.priority), now)
    if (atOnce) return atOnce
    const waitMs = this.waitMs(ask.priority)
    if (waitMs > 0 && (now + waitMs > ask.deadline || !this.#mayQueue())) {
      return Promise.reject(rateLimited(waitMs))
    }
    return this.#queue(ask)
  }

  /** Takes places for calls of an earlier process until `until`, epoch ms; those that count longest first. */
  hold(calls: number, until: number): void {
    const gate = this.#gate
    const places = Math.min(calls, this.limit - this.#taken)
    const ms = until - this.#clock.now()
    if (!gate || places <= 0 || ms <= 0) return
    this.#taken += places
    for (let n = 0; n < places; n++) this.#returns.unshift(until)
    const leave = gate.hold(places)
    this.#clock.after(timerMs(ms), () => {
      this.#taken -= places
      this.#returns.splice(0, places)
      leave()
      this.#drain()
    })
  }

  /**
   * Nobody leaves before `until`, epoch ms; those in line wait on, if their deadline allows. A shorter pause does not
   * end a longer one.
   */
  pause(until: number): void {
    const now = this.#clock.now()
    if (until <= now || until <= this.#pausedUntil) return
    this.#pausedUntil = until
    this.#resumed ??= this.#resume()
    for (const waiter of this.#waiting()) {
      if (waiter.deadline < until) waiter.refuse(rateLimited(until - now))
    }
  }

  /** Refuses everyone in line. */
  close(reason: unknown): void {
    for (const waiter of this.#waiting()) waiter.refuse(reason)
  }

  #waiting(): Waiter[] {
    return this.#lines.flatMap((line) => [...line])
  }

  #queue(ask: Ask): Promise<Release> {
    const { deadline, signal } = ask
    return new Promise((resolve, reject) => {
      const rank = priorities.indexOf(ask.priority)
      const line = this.#lines[rank] as Set<Waiter>
      const settle = () => {
        waiter.settled = true
        line.delete(waiter)
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      const waiter: Waiter = {
        rank,
        deadline,
        settled: false,
        admit: (release) => {
          settle()
          resolve(release)
        },
        refuse: (error) => {
          settle()
          reject(error)
        },
      }
      const onAbort = () => waiter.refuse(signal?.reason)
      const cancelTimer = this.#clock.after(timerMs(deadline - this.#clock.now()), () =>
        waiter.refuse(rateLimited(this.waitMs(ask.priority))),
      )
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      line.add(waiter)
      this.#drain()
    })
  }

  #drain(): void {
    if (this.#resumed !== undefined) return
    for (const line of this.#lines) {
      for (const waiter of line) {
        if (this.#taken >= this.#cap(waiter.rank)) break
        line.delete(waiter)
        this.#taken++
        this.#enter(waiter).catch((error) => {
          this.#taken--
          waiter.refuse(error)
        })
      }
    }
  }

  async #enter(waiter: Waiter): Promise<void> {
    const leave = (await this.#gate?.enter(waiter.rank)) ?? noop
    // A pause that began while the gate was asked holds this one too.
    while (this.#resumed !== undefined) await this.#resumed
    if (waiter.settled) return this.#giveBack(leave)
    waiter.admit(this.#releaseOf(leave))
  }

  /** A place without a wait, where nobody is in line and the gate has one at hand. */
  #atOnce(rank: number, now: number): Release | undefined {
    if (now < this.#pausedUntil || this.#taken >= this.#cap(rank) || this.queued > 0) return
    const leave = this.#gate?.tryEnter()
    if (!leave) return
    this.#taken++
    return this.#releaseOf(leave)
  }

  #releaseOf(leave: Leave): Release {
    let released = false
    return (left) => {
      if (released) return
      released = true
      if (left && this.windowMs > 0) this.#giveBackLater(leave)
      else this.#giveBack(leave)
    }
  }

  /** One timer per call is cheap: Node keeps all timers of one duration in one list. */
  #giveBackLater(leave: Leave): void {
    const ms = this.windowMs + timerSlackMs
    this.#returns.push(this.#clock.now() + ms)
    this.#clock.after(ms, () => {
      this.#returns.shift()
      this.#giveBack(leave)
    })
  }

  #giveBack(leave: Leave): void {
    this.#taken--
    leave()
    this.#drain()
  }

  readonly #releaseUnlimited = (): void => {
    this.#taken--
  }

  async #resume(): Promise<void> {
    do {
      await this.#clock.sleep(timerMs(this.#pausedUntil - this.#clock.now()))
    } while (this.#clock.now() < this.#pausedUntil)
    this.#resumed = undefined
    this.#drain()
  }

  #cap(rank: number): number {
    return this.#caps[rank] ?? this.limit
  }

  /** When a caller gets a place who must see `tooMany` + 1 come back first. A call under way ends now at the soonest. */
  #placeAt(tooMany: number, now: number): number {
    if (!(tooMany >= 0)) return now
    const rounds = Math.floor(tooMany / this.limit)
    return (this.#returns[tooMany % this.limit] ?? now + this.windowMs) + rounds * this.windowMs
  }
}

const noop: Leave = () => undefined

function rateLimited(waitMs: number): UpstreamError {
  const retryAfterMs = Math.max(1, Math.ceil(waitMs))
  return new UpstreamError(
    'rate-limited',
    `the quota at Genesys has no place for this call; the next comes free in ${retryAfterMs} ms`,
    { fate: 'refused', attempts: 0, retryable: true, retryAfterMs },
  )
}
