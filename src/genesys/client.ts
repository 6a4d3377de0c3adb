/**
 * The one door to Genesys' REST API. A call picks the OAuth client with the most budget left, takes a token and a
 * place in its quota, passes the breaker and leaves; see call.ts for when it is tried again.
 */
import type { Clock } from '../clock.ts'
import { type ErrorCode, GatewayError, UpstreamError } from '../errors.ts'
import type { DialectName } from '../sessions/session.ts'
import type { Tracer } from '../tracing.ts'
import { Accounts } from './accounts.ts'
import { apiRequest } from './api-request.ts'
import { Breaker, type BreakerOptions, type BreakerState } from './breaker.ts'
import { Call, type CallDeps, type CallOptions } from './call.ts'
import type { OAuthClient, OAuthStyle } from './credentials.ts'
import type { DepartureBook } from './departures.ts'
import type { Dialect, UpstreamAnswer, UpstreamRequest } from './dialect.ts'
import type { Log } from './log.ts'
import type { Answer, FaultKind } from './outcome.ts'
import type { Priority, QuotaLimit, QuotaSnapshot } from './quota.ts'
import type { Backoff } from './retry.ts'
import { Transport } from './transport.ts'
import { contextIdOf } from './upstream-said.ts'

export type { CallOptions, Priority }

export interface GenesysClientConfig {
  /** Origins. */
  baseUrl: string
  loginUrl: string
  /** At least one. */
  clients: readonly OAuthClient[]
  oauthStyle: OAuthStyle
  /** Per attempt. */
  timeoutMs: number
  limits: Record<DialectName, QuotaLimit>
  /** What keeps the quota exact over a restart. Left out, the windows start empty. */
  departures?: DepartureBook | undefined
  clock: Clock
  log: Log
  /** Told of every call when it is over; for metrics. */
  onCall?: (outcome: CallOutcome) => void
  /** The same of every request for a token: the answer's status, or the kind of the fault. */
  onTokenCall?: (outcome: number | FaultKind) => void
  tracer?: Tracer | undefined
  /** Callers that may wait for the quota of one OAuth client. Default 1000. */
  maxQueued?: number
  /** Between attempts. Default 500 ms at first, at most 8 s. */
  backoff?: Backoff
  breaker?: Omit<BreakerOptions, 'onChange'>
}

export type UpstreamReply = UpstreamAnswer & {
  attempts: number
  /** Of the last attempt. */
  latencyMs: number
  contextId: string | null
}

export interface CallOutcome {
  operation: string
  dialect: DialectName
  /** OAuth client of the last attempt; null when none got that far. */
  clientId: string | null
  /** Of the answer the dialect got; null when it got none. */
  status: number | null
  /** Why it got none; null when it did, and when the caller's own hook failed. */
  code: ErrorCode | null
  attempts: number
  durationMs: number
  /** The part of it spent in line for the quota. */
  quotaWaitMs: number
}

export interface ClientHealth {
  /** `ok` when any OAuth client has a token; `none` before the first was asked for; else why there is none. */
  token: string
  /** By OAuth client; those that lack nothing are left out. */
  missingScopes: Record<string, string[]>
  breaker: BreakerState
}

/** What attempts under way get when the client is closed. */
const graceMs = 2_000

export class GenesysClient implements AsyncDisposable {
  readonly #onCall: ((outcome: CallOutcome) => void) | undefined
  readonly #login: Transport
  readonly #deps: CallDeps
  readonly #ending = new AbortController()

  constructor(config: GenesysClientConfig) {
    const { baseUrl, loginUrl, timeoutMs, clock, log } = config
    this.#onCall = config.onCall
    this.#login = new Transport(loginUrl, { clock, connections: 8 })
    this.#deps = {
      baseUrl,
      timeoutMs,
      clock,
      log,
      backoff: config.backoff ?? { firstMs: 500, maxMs: 8_000 },
      accounts: new Accounts({
        ...config,
        send: async (request) => {
          const outcome = await this.#login.send(request)
          config.onTokenCall?.(outcome.kind === 'answer' ? outcome.status : outcome.fault)
          return outcome
        },
      }),
      breaker: new Breaker({
        ...config.breaker,
        onChange: (state) => log.warn({ host: baseUrl, state }, 'circuit breaker'),
      }),
      transport: new Transport(baseUrl, { clock }),
      tracer: config.tracer,
      ending: this.#ending.signal,
    }
  }

  /** The answer, for the dialect to judge. Rejects with an UpstreamError, or with what a hook of `options` failed with. */
  async call(request: UpstreamRequest, options: CallOptions): Promise<UpstreamReply> {
    const startedAt = performance.now()
    const call = new Call(this.#deps, request, options)
    const observe = (status: number | null, code: ErrorCode | null) =>
      this.#onCall?.({
        operation: request.operation,
        dialect: options.dialect,
        clientId: call.clientId,
        status,
        code,
        attempts: call.attempts,
        durationMs: performance.now() - startedAt,
        quotaWaitMs: call.quotaWaitMs,
      })
    let answer: Answer
    try {
      answer = await call.run()
    } catch (error) {
      observe(null, error instanceof GatewayError ? error.code : null)
      throw error
    }
    const { status, body, malformed, latencyMs } = answer
    observe(status, null)
    const { attempts } = call
    return { status, body, malformed, latencyMs, attempts, contextId: contextIdOf(answer) }
  }

  /**
   * One read with a guest's own token: it takes no OAuth client and none of its quota. Throws `upstream-error` when no
   * answer came.
   */
  async readAsGuest(request: UpstreamRequest, token: string): Promise<UpstreamAnswer> {
    const { transport, clock, timeoutMs } = this.#deps
    const patience = { leaveBy: clock.now() + timeoutMs, timeoutMs }
    const outcome = await transport.send(apiRequest(request, token, {}, patience))
    if (outcome.kind === 'answer') return outcome
    const detail = `${request.operation} brought no answer: ${outcome.fault}`
    throw new GatewayError('upstream-error', detail, { cause: outcome.cause })
  }

  /** Fetches the tokens these dialects need. Rejects with the first failure, after all were tried. */
  warmUp(dialects: readonly Pick<Dialect, 'name' | 'scopes'>[]): Promise<void> {
    return this.#deps.accounts.warmUp(dialects)
  }

  /** How long such a call would wait for its place in the quota, or for the end of a pause, milliseconds. */
  waitMs(dialect: DialectName, priority: Priority): number {
    return this.#deps.accounts.waitMs(dialect, priority)
  }

  /** How far apart calls may leave in the long run, of all OAuth clients together, milliseconds; 0 without a limit. */
  spacingMs(dialect: DialectName): number {
    return this.#deps.accounts.spacingMs(dialect)
  }

  health(): ClientHealth {
    return { ...this.#deps.accounts.health(), breaker: this.#deps.breaker.state }
  }

  /** One entry per OAuth client and limit in use. */
  quota(): QuotaSnapshot[] {
    return this.#deps.accounts.snapshot()
  }

  /** Ends all waiting at once; attempts under way get two seconds. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = new UpstreamError('shutting-down', 'the gateway is shutting down', {
      fate: 'refused',
      attempts: 0,
      retryable: true,
    })
    this.#ending.abort(reason)
    this.#deps.accounts.close(reason)
    await Promise.all([this.#deps.transport.close(graceMs), this.#login.close(graceMs)])
  }
}
