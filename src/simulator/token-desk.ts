/** Who the OAuth clients are and which tokens are out. Tokens are opaque; expired and revoked ones are told apart. */
import type { Chance } from './chance.ts'
import type { ClientOptions } from './options.ts'
import type { MovableTime } from './time.ts'

export interface Client {
  readonly id: string
  readonly secret: string
  readonly granted: ReadonlySet<string>
}

export interface Token {
  readonly value: string
  /** 1 for the client's first. Lets a reader of `received` see which token a call used, without its value. */
  readonly number: number
  readonly clientId: string
  readonly scopes: ReadonlySet<string>
  readonly issuedAt: number
  readonly expiresAt: number
}

export type TokenCheck =
  | { kind: 'good'; token: Token }
  | { kind: 'expired'; token: Token }
  | { kind: 'unknown' }

const rememberExpiredMs = 3_600_000

export class TokenDesk {
  readonly #clients: ReadonlyMap<string, Client>
  readonly #chance: Chance
  readonly #time: MovableTime
  readonly #tokens = new Map<string, Token>()
  readonly #issued = new Map<string, number>()

  constructor(
    clients: readonly ClientOptions[],
    everyScope: ReadonlySet<string>,
    chance: Chance,
    time: MovableTime,
  ) {
    this.#clients = new Map(
      clients.map(({ id, secret, scopes }) => [
        id,
        { id, secret, granted: scopes ? new Set(scopes) : everyScope },
      ]),
    )
    this.#chance = chance
    this.#time = time
  }

  client(id: string): Client | undefined {
    return this.#clients.get(id)
  }

  clients(): Client[] {
    return [...this.#clients.values()]
  }

  issue(clientId: string, scopes: ReadonlySet<string>, ttlSeconds: number): Token {
    this.#forgetLongExpired()
    const number = (this.#issued.get(clientId) ?? 0) + 1
    this.#issued.set(clientId, number)
    const issuedAt = this.#time.now()
    const token: Token = {
      value: this.#chance.opaque('token', clientId, number),
      number,
      clientId,
      scopes,
      issuedAt,
      expiresAt: issuedAt + ttlSeconds * 1_000,
    }
    this.#tokens.set(token.value, token)
    return token
  }

  check(value: string): TokenCheck {
    const token = this.#tokens.get(value)
    if (!token) return { kind: 'unknown' }
    return { kind: token.expiresAt > this.#time.now() ? 'good' : 'expired', token }
  }

  revoke(value: string): boolean {
    return this.#tokens.delete(value)
  }

  /** Every token of one client, or of all. Returns how many there were. */
  revokeAll(clientId?: string): number {
    const doomed = [...this.#tokens.values()].filter(
      (token) => clientId === undefined || token.clientId === clientId,
    )
    for (const token of doomed) this.#tokens.delete(token.value)
    return doomed.length
  }

  /** Tokens a client could use now. */
  liveCount(clientId: string): number {
    const now = this.#time.now()
    return [...this.#tokens.values()].filter(
      (token) => token.clientId === clientId && token.expiresAt > now,
    ).length
  }

  #forgetLongExpired(): void {
    const before = this.#time.now() - rememberExpiredMs
    for (const token of this.#tokens.values()) {
      if (token.expiresAt > before) break
      this.#tokens.delete(token.value)
    }
  }
}
