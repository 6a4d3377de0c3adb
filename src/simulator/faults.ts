/** Faults ordered and not yet spent: which of them hit a request or a frame. */
import type { Chance } from './chance.ts'
import { type FaultRequest, type FaultRule, FrameRule, RequestRule } from './fault-rules.ts'
import { isOperation } from './received.ts'

export type { FaultRequest }

/** A request, or a frame as the body of the connection it came over. */
export interface Target {
  operation: string
  clientId: string | null
  path: string
  body: string
}

export interface StandingFault {
  id: string
  rule: FaultRule
  /** Requests or frames that matched, hit or not. */
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

  add(rule: FaultRule): StandingFault {
    this.#numbered += 1
    const fault = { id: `fault-${this.#numbered}`, rule, seen: 0, hits: 0 }
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
  strike(when: 'before' | 'after', target: Target): RequestRule[] {
    return this.#hitting(target, (rule) => ('when' in rule && rule.when === when ? rule : null))
  }

  /** The same for a frame. */
  strikeFrame(direction: FrameRule['direction'], target: Target): FrameRule[] {
    if (this.#standing.length === 0) return []
    return this.#hitting(target, (rule) =>
      'direction' in rule && rule.direction === direction ? rule : null,
    )
  }

  #hitting<Rule extends FaultRule>(target: Target, pick: (rule: FaultRule) => Rule | null): Rule[] {
    return this.#standing.flatMap((fault) => {
      const rule = pick(fault.rule)
      return rule && matches(rule, target) && this.#hits(fault) ? [rule] : []
    })
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

/**
 * Throws a ZodError on a rule that makes no sense. The kind is looked at first, so that a mistake is explained by the
 * one rule that was meant.
 */
export function parseRule(request: FaultRequest): FaultRule {
  const isFrame = String(request?.kind).startsWith('frame-')
  return isFrame ? FrameRule.parse(request) : RequestRule.parse(request)
}

function matches(rule: FaultRule, target: Target): boolean {
  const { operation, clientId, contains } = rule
  return (
    (operation === undefined || isOperation(target.operation, operation)) &&
    (clientId === undefined || target.clientId === clientId) &&
    (contains === undefined || target.path.includes(contains) || target.body.includes(contains))
  )
}
