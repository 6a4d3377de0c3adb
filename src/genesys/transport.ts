/** One host over HTTP/1.1, behind an undici pool. `send` never rejects: every end a request can meet is an outcome. */
import { Pool } from 'undici'
import type { Clock } from '../clock.ts'
import { Exchange } from './exchange.ts'
import type { HttpRequest, Outcome } from './outcome.ts'

export interface TransportOptions {
  clock: Clock
  /** Default 128. */
  connections?: number
  /** Default 1 MiB. */
  maxAnswerBytes?: number
}

const connectTimeoutMs = 5_000
const tickMs = 100

export class Transport {
  readonly #pool: Pool
  readonly #clock: Clock
  readonly #maxAnswerBytes: number
  readonly #open = new Set<Exchange>()
  #ticks = 0
  #ticking = false
  #closing: Promise<void> | undefined

  constructor(origin: string, options: TransportOptions) {
    this.#clock = options.clock
    this.#maxAnswerBytes = options.maxAnswerBytes ?? 1024 * 1024
    this.#pool = new Pool(origin, {
      connections: options.connections ?? 128,
      pipelining: 1,
      // What an exchange concludes from onRequestStart holds for undici's HTTP/1.1 client.
      allowH2: false,
      connect: { timeout: connectTimeoutMs },
      // undici's own timers are up to a second late, and let an answer drip for ever; see #tick.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: this.#maxAnswerBytes,
      // Well below what servers use, and 2 s below what this one announces: a request that meets a connection the
      // other side is just closing is lost without a word on whether it was read.
      keepAliveTimeout: 4_000,
      keepAliveTimeoutThreshold: 2_000,
    })
  }

  send(request: HttpRequest): Promise<Outcome> {
    return new Promise((settle) => {
      const { method, path, headers, body = null, timeoutMs, leaveBy } = request
      const exchange = new Exchange(
        this.#tickIn(leaveBy - this.#clock.now()),
        this.#maxAnswerBytes,
        () => {
          exchange.expiresAt = this.#tickIn(timeoutMs)
        },
        (outcome) => {
          this.#open.delete(exchange)
          settle(outcome)
        },
      )
      this.#open.add(exchange)
      this.#pool.dispatch({ method, path, headers, body }, exchange)
      if (!this.#ticking) this.#tickSoon()
    })
  }

  /** Lets what is under way end for `graceMs`, then breaks it off. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs)
    return this.#closing
  }

  async #close(graceMs: number): Promise<void> {
    const ended = new AbortController()
    const patience = this.#clock.sleep(graceMs, ended.signal).catch(() => undefined)
    await Promise.race([this.#pool.close(), patience])
    ended.abort()
    await this.#pool.destroy()
  }

  /** The tick by which at least `ms` have passed. */
  #tickIn(ms: number): number {
    return this.#ticks + 1 + Math.ceil(Math.max(0, ms) / tickMs)
  }

  #tickSoon(): void {
    this.#ticking = true
    this.#clock.after(tickMs, () => this.#tick())
  }

  /** One timer for all time-outs. It counts ticks and not time, so that our own stalls are not held against the host. */
  #tick(): void {
    this.#ticks++
    for (const exchange of this.#open) if (exchange.expiresAt <= this.#ticks) exchange.expire()
    this.#ticking = false
    if (this.#open.size > 0) this.#tickSoon()
  }
}
