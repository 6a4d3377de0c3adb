/**
 * Faults to order. A rule says which requests it hits and what goes wrong, before the operation is carried out
 * (nothing happened) or after (it happened, and only the answer suffers).
 */
import { z } from 'zod'
import type { Chance } from './chance.ts'
import { isOperation } from './received.ts'

const moment = z.enum(['before', 'after'])
const filter = {
  /** `surface.operation`, or a whole surface. Absent: every request. */
  operation: z.string().optional(),
  clientId: z.string().optional(),
  /** Only requests whose path or body has this text. */
  contains: z.string().optional(),
  /** Lets this many matching requests pass first. */
  skip: z.int().nonnegative().default(0),
  /** Hits this many, then is spent. Absent: until removed. */
  count: z.int().positive().optional(),
  /** The share of matching requests hit, drawn from the seed. */
  probability: z.number().min(0).max(1).default(1),
}

export const FaultRule = z.discriminatedUnion('kind', [
  /** The answer comes late. */
  z.strictObject({
    kind: z.literal('latency'),
    latencyMs: z.number().nonnegative(),
    when: moment.default('before'),
    ...filter,
  }),
  /** A bare status, with the platform's error body unless another is given. */
  z.strictObject({
    kind: z.literal('status'),
    status: z.int().min(200).max(599),
    body: z.unknown().optional(),
    /** Sent as it is. */
    retryAfter: z.union([z.string(), z.number()]).optional(),
    when: moment.default('before'),
    ...filter,
  }),
  /** 429 with `Retry-After`, whatever the quota says. */
  z.strictObject({
    kind: z.literal('rate-limit'),
    /** Seconds, or a date as it should be sent. */
    retryAfter: z.union([z.string(), z.number()]).default(1),
    when: z.literal('before').default('before'),
    ...filter,
  }),
  /** The connection is reset without a word. */
  z.strictObject({ kind: z.literal('reset'), when: moment.default('before'), ...filter }),
  /** The connection stays open and nothing comes. */
  z.strictObject({ kind: z.literal('hang'), when: moment.default('before'), ...filter }),
  /** A success status with a body that is not JSON. */
  z.strictObject({ kind: z.literal('malformed'), when: moment.default('after'), ...filter }),
  /** Head and half a body, then the connection is closed. */
  z.strictObject({ kind: z.literal('truncated'), when: moment.default('after'), ...filter }),
])
export type FaultRule = z.infer<typeof FaultRule>
export type FaultRequest = z.input<typeof FaultRule>

export interface Target {
  operation: string
  clientId: string | null
  path: string
  body: string
}

export interface StandingFault {
  id: string
  rule: FaultRule
  /** Requests that matched, hit or not. */
  seen: number
  hits: number
}

export class Faults {
  readonly #chance: Chance
  #standing: StandingFault[] = []
  #numbered = 0

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** Throws a ZodError on a rule that makes no sense. */
  add(request: FaultRequest): StandingFault {
    this.#numbered += 1
    const fault = {
      id: `fault-${this.#numbered}`,
      rule: FaultRule.parse(request),
      seen: 0,
      hits: 0,
    }
    this.#standing.push(fault)
    return fault
  }

  list(): StandingFault[] {
    return [...this.#standing]
  }

  /** One of them, or all. Returns how many there were. */
  remove(id?: string): number {
    const before = this.#standing.length
    this.#standing = id === undefined ? [] : this.#standing.filter((fault) => fault.id !== id)
    return before - this.#standing.length
  }

  /** The faults that hit this request at this moment, in the order they were ordered; their counts go down. */
  strike(when: 'before' | 'after', target: Target): FaultRule[] {
    return this.#standing
      .filter(({ rule }) => rule.when === when && matches(rule, target))
      .filter((fault) => this.#hits(fault))
      .map(({ rule }) => rule)
  }

  #hits(fault: StandingFault): boolean {
    const { rule } = fault
    if (rule.count !== undefined && fault.hits >= rule.count) return false
    fault.seen += 1
    if (fault.seen <= rule.skip) return false
    if (this.#chance.fraction(fault.id, fault.seen) >= rule.probability) return false
    fault.hits += 1
    return true
  }
}

function matches(rule: FaultRule, target: Target): boolean {
  const { operation, clientId, contains } = rule
  return (
    (operation === undefined || isOperation(target.operation, operation)) &&
    (clientId === undefined || target.clientId === clientId) &&
    (contains === undefined || target.path.includes(contains) || target.body.includes(contains))
  )
}
