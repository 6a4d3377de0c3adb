/**
 * What a simulator can be told. `Behaviour` can change while it runs (`PATCH /__simulator/options`); the rest is
 * settled when it starts. Where the platform's documents allow two readings, there is a switch here.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type Clock, systemClock } from '../clock.ts'

export const Behaviour = z.strictObject({
  /** From the start of routing until the conversation is active. The platform takes one to three seconds. */
  activationMs: z.number().nonnegative(),
  /** Whether a scripted agent answers. */
  agent: z.boolean(),
  /** How long the agent takes to answer, on average; it varies by half of it. */
  agentDelayMs: z.number().nonnegative(),
  /** Requests per OAuth client in any window, refused ones included. */
  rateLimit: z.union([
    z.strictObject({ limit: z.int().positive(), windowMs: z.number().positive() }),
    z.literal('off'),
  ]),
  /** How a 429 says when to come back. */
  retryAfterFormat: z.enum(['seconds', 'http-date']),
  tokenTtlSeconds: z.number().positive(),
  /** The status of a call whose token lacks the scope; the documents say both. */
  missingScopeStatus: z.union([z.literal(403), z.literal(401)]),
  /** The status of `invalid_client`; older reports say 400, newer ones 401. */
  invalidClientStatus: z.union([z.literal(400), z.literal(401)]),
  /** The status of a creation or a send that worked, where the document names none. */
  createdStatus: z.union([z.literal(200), z.literal(201), z.literal(202)]),
})
export type Behaviour = z.infer<typeof Behaviour>
export type RateLimit = Behaviour['rateLimit']

export interface ClientOptions {
  id: string
  secret: string
  /** What the client was granted. Absent: every scope any surface asks for. */
  scopes?: readonly string[]
}

export interface SimulatorOptions extends Behaviour {
  host: string
  /** 0 takes any free one. */
  port: number
  clock: Clock
  /** The same seed and the same requests give the same ids and the same run. Default: a new one each start. */
  seed: string
  clients: readonly ClientOptions[]
  /** How many requests `received` remembers, newest first to stay. */
  receivedLimit: number
  /** How many conversations are kept; past it the oldest are forgotten. */
  conversationLimit: number
}

export function completeOptions(given: Partial<SimulatorOptions>): SimulatorOptions {
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return {
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    seed: randomUUID(),
    clients: [{ id: 'simulator-client', secret: 'simulator-not-a-real-secret' }],
    receivedLimit: 10_000,
    conversationLimit: 50_000,
    activationMs: 1_500,
    agent: true,
    agentDelayMs: 800,
    rateLimit: { limit: 100, windowMs: 60_000 },
    retryAfterFormat: 'seconds',
    tokenTtlSeconds: 3_600,
    missingScopeStatus: 403,
    invalidClientStatus: 400,
    createdStatus: 201,
    ...Object.fromEntries(known),
  }
}

/** The part of the options that can change later, as a copy of its own. */
export function behaviourOf(options: SimulatorOptions): Behaviour {
  const names = Object.keys(Behaviour.shape) as (keyof Behaviour)[]
  return Behaviour.parse(Object.fromEntries(names.map((name) => [name, options[name]])))
}

/** `100/60s`, `100/1s`, `5/500ms` or `off`. Throws on anything else. */
export function parseRateLimit(text: string): RateLimit {
  if (text === 'off') return 'off'
  const match = /^(\d+)\/(\d+)(ms|s|m)$/.exec(text.trim())
  if (!match) throw new Error(`a rate limit looks like 100/60s or off, not ${text}`)
  const unitMs = { ms: 1, s: 1_000, m: 60_000 }[match[3] as 'ms' | 's' | 'm']
  return Behaviour.shape.rateLimit.parse({
    limit: Number(match[1]),
    windowMs: Number(match[2]) * unitMs,
  })
}
