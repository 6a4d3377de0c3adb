/**
 * One call on its way through the door: which OAuth client, which token, when it may leave, and whether it is tried
 * again. It is, while the deadline allows, after 408, 429 and 5xx, after attempts nobody can have seen, and after lost ones
 * that are repeatable; never otherwise, because nobody knows whether those were acted on.
 */
import type { Clock } from '../clock.ts'
import { UpstreamError } from '../errors.ts'
import type { DialectName } from '../sessions/session.ts'
import { childOf } from '../trace.ts'
import type { Tracer } from '../tracing.ts'
import type { Account, Accounts } from './accounts.ts'
import { apiRequest, type Behalf } from './api-request.ts'
import { type Breaker, circuitOpen } from './breaker.ts'
import { endCallSpan, startCallSpan } from './call-span.ts'
import { type AccessToken, scopesNotGranted } from './credentials.ts'
import type { UpstreamRequest } from './dialect.ts'
import { failureOf, isForDialect, mayRepeat, notSent, ofCall, scopesMissing } from './failures.ts'
import type { Log } from './log.ts'
import { type Answer, isLost, type Outcome } from './outcome.ts'
import type { Priority, Release } from './quota.ts'
import { type Backoff, backoffMs, retryAfterMs, unsaidPauseMs } from './retry.ts'
import type { Transport } from './transport.ts'
import { upstreamSaid } from './upstream-said.ts'

export interface CallOptions extends Behalf {
  dialect: DialectName
  /** Epoch ms. No wait goes beyond it; an attempt once made gets up to a second more, as its outcome is worth knowing. */
  deadline: number
  priority: Priority
  /** Ends waiting. An attempt that has left is let finish. */
  signal?: AbortSignal
  /** Awaited before the bytes of each attempt leave, token and place in hand. If it rejects, nothing leaves. */
  leaving?: () => Promise<void>
  /** Awaited when what `leaving` announced is known not to have been acted on and another attempt is to follow. */
  returned?: () => Promise<void>
  /** Told how long an attempt has stood in line for the quota, milliseconds; not told where it did not. */
  queued?: ((ms: number) => void) | undefined
}

export interface CallDeps {
  baseUrl: string
  timeoutMs: number
  backoff: Backoff
  accounts: Accounts
  breaker: Breaker
  transport: Transport
  tracer?: Tracer | undefined
  clock: Clock
  log: Log
  /** Ends waiting for good. */
  ending: AbortSignal
}

/** Of attempts that were answered 408 or 5xx, or lost. Those that reach nobody are bounded by the deadline alone. */
const mostFailures = 4
const leastAttemptMs = 1_000
const leastPauseMs = 250

export class Call {
  attempts = 0
  /** Spent in line for the quota, over all attempts. */
  quotaWaitMs = 0
  /** OAuth client of the last attempt. */
  clientId: string | null = null
  readonly #deps: CallDeps
  readonly #request: UpstreamRequest
  readonly #options: CallOptions
  #last: Outcome | undefined
  /** An attempt was about to leave, and `returned` has not been called since. */
  #out = false
  /** An attempt may have been acted on. */
  #unsure = false
  #failures = 0
  #misses = 0
  #refusals = 0
  readonly #renewed: Account[] = []
  /** The next attempt is to be made with this one. */
  #goOnWith: Account | undefined

  constructor(deps: CallDeps, request: UpstreamRequest, options: CallOptions) {
    this.#deps = deps
    this.#request = request
    this.#options = options
  }

  /** The answer that is for the dialect to judge; rejects with an UpstreamError, or with what a hook failed with. */
  async run(): Promise<Answer> {
    try {
      for (;;) {
        const outcome = await this.#attempt()
        if (outcome.kind === 'answer' && isForDialect(outcome.status)) return outcome
        const waitMs = this.#waitAfter(outcome)
        await this.#comeBack(outcome)
        if (waitMs > 0) await this.#sleep(waitMs)
      }
    } catch (error) {
      throw this.#explained(error)
    }
  }

  async #attempt(): Promise<Outcome> {
    const { accounts, breaker, clock, ending } = this.#deps
    const { dialect, priority, deadline, signal } = this.#options
    ending.throwIfAborted()
    signal?.throwIfAborted()
    if (clock.now() >= deadline) throw this.#late()
    if (breaker.blockedForMs() > 0) return circuitOpen()

    const { scopes } = this.#request
    let account = this.#goOnWith ?? accounts.pick(dialect, priority)
    // Once a token is there the choice may be another, because others have taken places meanwhile.
    while (account.tokens.current(scopes) === undefined) {
      const fetched = await accounts.fetchToken(account, scopes, this.#options)
      if (!fetched) this.#goOnWith = undefined
      account = this.#goOnWith ?? accounts.pick(dialect, priority)
    }
    this.#goOnWith = undefined
    this.clientId = account.id

    const place = account.quota.acquire(dialect, this.#options)
    const release = place instanceof Promise ? await this.#inLine(place) : place
    let left = false
    try {
      // The token may have run out while the call stood in line.
      const token =
        account.tokens.current(scopes) ?? (await account.tokens.get(scopes, this.#options))
      const outcome = await this.#leave(account, token)
      left = outcome.kind === 'answer' || isLost(outcome)
      if (outcome.kind === 'answer') this.#learn(outcome, account, token)
      return outcome
    } finally {
      release(left)
    }
  }

  async #inLine(place: Promise<Release>): Promise<Release> {
    const since = performance.now()
    try {
      return await place
    } finally {
      const ms = performance.now() - since
      this.quotaWaitMs += ms
      this.#options.queued?.(ms)
    }
  }

  async #leave(account: Account, token: AccessToken): Promise<Outcome> {
    const { breaker, transport, clock, tracer, baseUrl } = this.#deps
    const { dialect, leaving, deadline, trace, requestId } = this.#options
    if (breaker.blockedForMs() > 0) return circuitOpen()
    this.#out = true
    const noted = account.quota.note(dialect)
    // Asked for together, so that both are in one commit.
    if (noted) await Promise.all([leaving?.(), noted])
    else if (leaving) await leaving()
    const timeoutMs = Math.max(deadline - clock.now(), leastAttemptMs)
    const attempt = ++this.attempts
    const span =
      tracer && startCallSpan(tracer, this.#request, { baseUrl, dialect, parent: trace, attempt })
    const behalf = { trace: span?.trace ?? (trace && childOf(trace)), requestId }
    const http = apiRequest(this.#request, token.value, behalf, {
      leaveBy: deadline,
      timeoutMs: Math.min(timeoutMs, this.#deps.timeoutMs),
    })
    const outcome = await breaker.run(() => transport.send(http))
    if (span) endCallSpan(span, outcome)
    return outcome
  }

  /** What an answer says about the OAuth client it was given to, other callers' sake included. */
  #learn(answer: Answer, account: Account, token: AccessToken): void {
    if (answer.status === 401) this.#learnUnauthorized(answer, account, token)
    if (answer.status === 429) this.#learnRefused(answer, account)
  }

  #learnUnauthorized(answer: Answer, account: Account, token: AccessToken): void {
    account.tokens.drop(token)
    if (!this.#renewed.includes(account)) {
      this.#renewed.push(account)
      this.#goOnWith = account
      return
    }
    const missing = scopesNotGranted(token, this.#request.scopes)
    if (missing.length > 0) throw scopesMissing(answer, this.#circumstances(undefined), missing)
  }

  #learnRefused(answer: Answer, account: Account): void {
    const { clock, log } = this.#deps
    const now = clock.now()
    this.#refusals++
    const waitMs = Math.max(
      retryAfterMs(answer, now) ?? unsaidPauseMs(this.#refusals),
      leastPauseMs,
    )
    if (account.quota.pause(now + waitMs)) {
      const { operation } = this.#request
      log.warn({ clientId: account.id, operation, waitMs }, 'Genesys asked to wait')
    }
  }

  /** How long to wait before the next attempt, milliseconds; throws when there is to be none. */
  #waitAfter(outcome: Outcome): number {
    const { accounts, breaker, backoff, clock } = this.#deps
    const { dialect, priority, deadline } = this.#options
    this.#last = outcome
    this.#unsure ||= isLost(outcome)
    const status = outcome.kind === 'answer' ? outcome.status : undefined

    if (status === 401 && this.#goOnWith !== undefined) return 0
    if (status === 429) {
      const { waitMs } = accounts.pick(dialect, priority).quota.outlook(dialect, priority)
      if (clock.now() + waitMs >= deadline) throw this.#failure(outcome, waitMs)
      return 0
    }

    const now = clock.now()
    const blockedMs = breaker.blockedForMs()
    const askedMs = outcome.kind === 'answer' ? retryAfterMs(outcome, now) : undefined
    const knownMs = askedMs ?? (blockedMs > 0 ? blockedMs : undefined)
    const failure = () => this.#failure(outcome, knownMs)
    if (!mayRepeat(outcome, this.#request)) throw failure()
    if (outcome.kind === 'fault' && outcome.fate === 'refused') this.#misses++
    else if (++this.#failures >= mostFailures) throw failure()
    // Those who were told the same moment should not all come at it.
    const tries = knownMs === undefined ? this.#failures + this.#misses : 1
    const waitMs = (knownMs ?? 0) + backoffMs(backoff, tries)
    if (now + waitMs >= deadline) throw failure()
    return waitMs
  }

  async #comeBack(outcome: Outcome): Promise<void> {
    if (!this.#out || isLost(outcome)) return
    this.#out = false
    await this.#options.returned?.()
  }

  async #sleep(ms: number): Promise<void> {
    const { clock, ending } = this.#deps
    const { signal } = this.#options
    const either = signal === undefined ? ending : AbortSignal.any([ending, signal])
    await clock.sleep(ms, either).catch(() => either.throwIfAborted())
  }

  #circumstances(waitMs: number | undefined) {
    const { baseUrl } = this.#deps
    return { request: this.#request, baseUrl, attempts: this.attempts, waitMs }
  }

  #failure(outcome: Outcome, waitMs: number | undefined): UpstreamError {
    return failureOf(outcome, this.#circumstances(waitMs))
  }

  /** Out of time before an attempt: what the last one met is the better reason, where there was one. */
  #late(): UpstreamError {
    if (this.#last !== undefined) return this.#failure(this.#last, undefined)
    const why = 'its deadline passed before it could leave'
    return notSent('upstream-timeout', why, this.#circumstances(undefined))
  }

  /** The error as the caller is to see it: what stopped a wait does not know what the attempts before it met. */
  #explained(error: unknown): unknown {
    const { signal } = this.#options
    const failure =
      signal?.aborted && error === signal.reason && !(error instanceof UpstreamError)
        ? notSent('shutting-down', 'called off', this.#circumstances(undefined), error)
        : error
    if (!(failure instanceof UpstreamError)) return failure
    const fate = this.#unsure ? 'unknown' : failure.fate
    if (fate === failure.fate && this.attempts === failure.attempts) return failure
    const upstream =
      failure.upstream ?? (this.#last?.kind === 'answer' ? upstreamSaid(this.#last) : undefined)
    return ofCall(failure, { attempts: this.attempts, fate, upstream })
  }
}
