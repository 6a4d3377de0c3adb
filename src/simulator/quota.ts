/** Requests per OAuth client, by the limit of the surface: one count for all of them, or a surface's own. */
import { Meter, type Reading } from './sliding-window.ts'
import type { Behaviour } from './switches/behaviour.ts'

type Limits = Pick<Behaviour, 'rateLimit' | 'rateLimits'>

export class Quotas {
  readonly #meters = new Map<string, Meter>()

  /** Counts one request to a surface; undefined when there is no limit. */
  count(clientId: string, surface: string, limits: Limits, now: number): Reading | undefined {
    if (limits.rateLimit === 'off') return undefined
    const own = limits.rateLimits[surface]
    const key = own ? `${clientId} ${surface}` : clientId
    const meter = this.#meters.get(key) ?? new Meter()
    this.#meters.set(key, meter)
    return meter.count(own ?? limits.rateLimit, now)
  }

  /** How much of the common window a client has used, without counting. */
  used(clientId: string, now: number): number {
    return this.#meters.get(clientId)?.used(now) ?? 0
  }
}
