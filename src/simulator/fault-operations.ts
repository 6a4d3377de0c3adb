/** Which operations a fault rule can name. One that names another would stand forever and hit nothing. */
import { z } from 'zod'
import type { FaultRule } from './fault-rules.ts'
import { isOperation } from './received.ts'
import type { RunningWorld } from './running-world.ts'

/** Throws a ZodError, as on any other rule that makes no sense. */
export function requireOperation(rule: FaultRule, world: RunningWorld): void {
  const { operation } = rule
  if (operation === undefined) return
  const known = within(rule, world)
  if (known.some((name) => isOperation(name, operation))) return
  const surfaces = known.map((name) => name.split('.', 1)[0])
  const names = [...new Set([...surfaces, ...known])].join(', ')
  const message = `nothing this rule could hit is named so; it takes ${names}`
  throw new z.ZodError([{ code: 'custom', path: ['operation'], message, input: operation }])
}

/** Frames pass on sockets only. A socket's upgrade has no after, and a request nobody knows does nothing to suffer after. */
function within(rule: FaultRule, { operations, endpoints }: RunningWorld): string[] {
  const requests = [...operations.keys()]
  const sockets = endpoints.map(({ operation }) => operation)
  if ('direction' in rule) return sockets
  return rule.when === 'after' ? requests : [...requests, ...sockets, 'unknown']
}
