/**
 * The access tokens of one OAuth client, one per set of scopes. However many callers wait, one request is under way;
 * a token nearing its end is replaced in the background while it is still used.
 */
import type { Clock } from '../clock.ts'
import { UpstreamError } from '../errors.ts'
import {
  type AccessToken,
  type OAuthClient,
  type OAuthStyle,
  readTokenAnswer,
  scopesNotGranted,
  tokenRequest,
} from './credentials.ts'
import type { Log } from './log.ts'
import type { HttpRequest, Outcome } from './outcome.ts'
import { type Backoff, backoffMs } from './retry.ts'
import { within } from './wait.ts'

export interface TokenManagerDeps {
  client: OAuthClient
  style: OAuthStyle
  /** Origin; for error texts, `send` goes there. */
  loginUrl: string
  send: (request: HttpRequest) => Promise<Outcome>
  clock: Clock
  log: Log
  /** Default 15 s for a token, retries included. */
  timeoutMs?: number
  /** Default 500 ms, at most 5 s. */
  backoff?: Backoff
}

/** What is known about one set of scopes. */
interface Entry {
  scopes: readonly string[]
  token: AccessToken | undefined
  fetching: Promise<AccessToken> | undefined
  /** Epoch ms before which a failed background refresh is not tried again. */
  refreshNotBefore: number
  /** What was logged as missing, so that it is logged once. */
  reported: string
}

const refreshPauseMs = 10_000

export class TokenManager {
  readonly #deps: TokenManagerDeps
  readonly #timeoutMs: number
  readonly #backoff: Backoff
  readonly #entries: Entry[] = []
  readonly #entryOf = new WeakMap<readonly string[], Entry>()
  readonly #ending = new AbortController()
  #state: string = 'none'

  constructor(deps: TokenManagerDeps) {
    this.#deps = deps
    this.#timeoutMs = deps.timeoutMs ?? 15_000
    this.#backoff = deps.backoff ?? { firstMs: 500, maxMs: 5_000 }
  }

  /** `none` before the first fetch, `ok` after one that worked, else why the last attempt did not. */
  get state(): string {
    return this.#state
  }

  /** A token good for these scopes, if there is one at hand. */
  current(scopes: readonly string[]): AccessToken | undefined {
    const entry = this.#find(scopes)
    const { token } = entry
    if (token === undefined) return undefined
    const now = this.#deps.clock.now()
    if (now >= token.refreshAt) this.#refreshInBackground(entry, now)
    return now < token.staleAt ? token : undefined
  }

  /** As `current`, or fetches one. Waits at most until `deadline` (epoch ms); the fetch goes on for others. */
  async get(
    scopes: readonly string[],
    wait: { deadline?: number; signal?: AbortSignal | undefined } = {},
  ): Promise<AccessToken> {
    const token = this.current(scopes)
    if (token !== undefined) return token
    const fetching = this.#fetchOnce(this.#find(scopes))
    if (wait.deadline === undefined && wait.signal === undefined) return fetching
    return within(fetching, {
      clock: this.#deps.clock,
      deadline: wait.deadline ?? Number.MAX_SAFE_INTEGER,
      signal: wait.signal,
      late: () =>
        new UpstreamError(
          'upstream-timeout',
          `no access token from ${this.#deps.loginUrl} in time`,
          {
            fate: 'refused',
            attempts: 0,
            retryable: true,
          },
        ),
    })
  }

  /** Forgets exactly this token: of many callers who were refused with it, the first one causes the next fetch. */
  drop(token: AccessToken): void {
    for (const entry of this.#entries) {
      if (entry.token?.value === token.value) entry.token = undefined
    }
  }

  /** Which of these the platform did not grant; none when it does not name what it grants; undefined before a token. */
  missingScopes(scopes: readonly string[]): string[] | undefined {
    const { token } = this.#find(scopes)
    return token && scopesNotGranted(token, scopes)
  }

  /** Every scope asked for so far and not granted. */
  allMissingScopes(): string[] {
    const all = this.#entries.flatMap(({ token, scopes }) =>
      token ? scopesNotGranted(token, scopes) : [],
    )
    return [...new Set(all)]
  }

  /** Fails whoever waits, and everyone after, with `reason`. */
  close(reason: Error): void {
    this.#ending.abort(reason)
  }

  /** A set asked for before that covers these scopes serves; its token does more than is needed, and no less. */
  #find(scopes: readonly string[]): Entry {
    const known = this.#entryOf.get(scopes)
    if (known !== undefined) return known
    let entry = this.#entries.find((each) => scopes.every((scope) => each.scopes.includes(scope)))
    if (entry === undefined) {
      entry = {
        scopes: [...new Set(scopes)].sort(),
        token: undefined,
        fetching: undefined,
        refreshNotBefore: 0,
        reported: '',
      }
      this.#entries.push(entry)
    }
    this.#entryOf.set(scopes, entry)
    return entry
  }

  #refreshInBackground(entry: Entry, now: number): void {
    if (entry.fetching !== undefined || now < entry.refreshNotBefore) return
    this.#fetchOnce(entry).catch(() => {
      entry.refreshNotBefore = this.#deps.clock.now() + refreshPauseMs
    })
  }

  #fetchOnce(entry: Entry): Promise<AccessToken> {
    entry.fetching ??= this.#fetch(entry).finally(() => {
      entry.fetching = undefined
    })
    return entry.fetching
  }

  async #fetch(entry: Entry): Promise<AccessToken> {
    const { client, style, loginUrl, send, clock, log } = this.#deps
    const ending = this.#ending.signal
    const leaveBy = clock.now() + this.#timeoutMs
    const request = tokenRequest(client, style, entry.scopes)
    for (let failures = 1; ; failures++) {
      ending.throwIfAborted()
      const sentAt = clock.now()
      const outcome = await send({ ...request, leaveBy, timeoutMs: leaveBy - sentAt })
      // What is broken off by a stop is nobody's failure.
      if (outcome.kind === 'fault') ending.throwIfAborted()
      const answer = readTokenAnswer(outcome, sentAt, loginUrl)
      if (answer.kind === 'token') {
        entry.token = answer.token
        this.#state = 'ok'
        this.#reportMissing(entry, answer.token)
        return answer.token
      }
      const { error, transient } = answer
      const wait = Math.max(backoffMs(this.#backoff, failures), error.retryAfterMs ?? 0)
      const isLast = !transient || clock.now() + wait >= leaveBy
      if (entry.token === undefined || clock.now() >= entry.token.staleAt) {
        this.#state = error.message
      }
      const again = isLast ? {} : { againInMs: Math.round(wait) }
      log.warn({ clientId: client.id, attempt: failures, ...again, err: error }, 'no access token')
      if (isLast) throw error
      await clock.sleep(wait, ending).catch(() => ending.throwIfAborted())
    }
  }

  #reportMissing(entry: Entry, token: AccessToken): void {
    const scopes = scopesNotGranted(token, entry.scopes)
    const said = scopes.join(' ')
    if (said === entry.reported) return
    entry.reported = said
    if (scopes.length === 0) return
    const { client, log } = this.#deps
    log.warn({ clientId: client.id, missingScopes: scopes }, 'the OAuth client lacks scopes')
  }
}
