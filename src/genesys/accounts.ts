/** The organisation's OAuth clients, each with its tokens and its quota; calls are spread over them by what is left. */
import type { Clock } from '../clock.ts'
import type { DialectName } from '../sessions/session.ts'
import type { OAuthClient, OAuthStyle } from './credentials.ts'
import type { DepartureBook } from './departures.ts'
import type { Dialect } from './dialect.ts'
import type { Log } from './log.ts'
import type { HttpRequest, Outcome } from './outcome.ts'
import {
  createQuota,
  type Priority,
  type Quota,
  type QuotaLimit,
  type QuotaSnapshot,
} from './quota.ts'
import { TokenManager } from './token-manager.ts'

export interface Account {
  readonly id: string
  readonly tokens: TokenManager
  readonly quota: Quota
  /** Epoch ms until which others are preferred, because it got no token. */
  unwellUntil: number
}

export interface AccountsDeps {
  loginUrl: string
  clients: readonly OAuthClient[]
  oauthStyle: OAuthStyle
  limits: Record<DialectName, QuotaLimit>
  maxQueued?: number
  departures?: DepartureBook | undefined
  /** Per attempt. */
  timeoutMs: number
  clock: Clock
  log: Log
  send: (request: HttpRequest) => Promise<Outcome>
}

export interface Errand {
  /** Epoch ms. */
  deadline: number
  signal?: AbortSignal
}

const unwellMs = 30_000

export class Accounts {
  readonly #clock: Clock
  readonly #all: readonly Account[]
  #turn = 0

  constructor(deps: AccountsDeps) {
    const { loginUrl, clients, oauthStyle: style, limits, maxQueued, clock, log, send } = deps
    this.#clock = clock
    this.#all = clients.map((client) => ({
      id: client.id,
      tokens: new TokenManager({ client, style, loginUrl, send, clock, log }),
      quota: createQuota({
        client: client.id,
        limits,
        clock,
        departures: deps.departures,
        callMs: deps.timeoutMs,
        ...(maxQueued === undefined ? {} : { maxQueued }),
      }),
      unwellUntil: 0,
    }))
    if (this.#all.length === 0) throw new Error('no OAuth client is configured')
  }

  /** Where such a call leaves soonest; among equals, where most of the budget is left; among those, in turn. */
  pick(dialect: DialectName, priority: Priority): Account {
    const [only] = this.#all
    if (only !== undefined && this.#all.length === 1) return only
    const now = this.#clock.now()
    const candidates = this.#all.map((account) => ({
      account,
      unwell: account.unwellUntil > now,
      ...account.quota.outlook(dialect, priority),
    }))
    const turn = this.#turn++ % candidates.length
    return [...candidates.slice(turn), ...candidates.slice(0, turn)].reduce((best, each) => {
      const order =
        Number(best.unwell) - Number(each.unwell) ||
        best.waitMs - each.waitMs ||
        each.remaining - best.remaining
      return order > 0 ? each : best
    }).account
  }

  /**
   * Whether `account` got a token for these scopes. Where it did not, others are preferred for a while; rejects when
   * there are none.
   */
  async fetchToken(account: Account, scopes: readonly string[], errand: Errand): Promise<boolean> {
    try {
      await account.tokens.get(scopes, errand)
      return true
    } catch (error) {
      const now = this.#clock.now()
      account.unwellUntil = now + unwellMs
      const none = this.#all.every((each) => each.unwellUntil > now)
      if (none || now >= errand.deadline || errand.signal?.aborted) throw error
      return false
    }
  }

  /** Fetches every account's tokens for these dialects; rejects with the first failure, after all were tried. */
  async warmUp(dialects: readonly Pick<Dialect, 'name' | 'scopes'>[]): Promise<void> {
    const fetches = this.#all.flatMap((account) =>
      dialects.map(({ name, scopes }) => {
        account.quota.outlook(name, 'message')
        return account.tokens.get(scopes)
      }),
    )
    for (const fetch of await Promise.allSettled(fetches)) {
      if (fetch.status === 'rejected') throw fetch.reason
    }
  }

  health(): { token: string; missingScopes: Record<string, string[]> } {
    const states = this.#all.map(({ tokens }) => tokens.state)
    const bad = states.find((state) => state !== 'none' && state !== 'ok')
    const lacking = this.#all.map(({ id, tokens }) => [id, tokens.allMissingScopes()] as const)
    return {
      token: states.includes('ok') ? 'ok' : (bad ?? 'none'),
      missingScopes: Object.fromEntries(lacking.filter(([, scopes]) => scopes.length > 0)),
    }
  }

  /** Of the client where such a call leaves soonest, milliseconds. */
  waitMs(dialect: DialectName, priority: Priority): number {
    return Math.min(...this.#all.map(({ quota }) => quota.outlook(dialect, priority).waitMs))
  }

  /** Of all clients together, which have the same limits, milliseconds. */
  spacingMs(dialect: DialectName): number {
    const [first] = this.#all
    return (first?.quota.spacingMs(dialect) ?? 0) / this.#all.length
  }

  snapshot(): QuotaSnapshot[] {
    return this.#all.flatMap(({ quota }) => quota.snapshot())
  }

  /** Ends all waiting with `reason`. */
  close(reason: Error): void {
    for (const { tokens, quota } of this.#all) {
      tokens.close(reason)
      quota.close(reason)
    }
  }
}
