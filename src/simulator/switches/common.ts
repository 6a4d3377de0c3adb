/** Switches that hold for every surface. */
import { z } from 'zod'
import { RateLimit } from './rate-limit.ts'

export const commonSwitches = {
  /** From the start of routing until the conversation is active. The platform takes one to three seconds. */
  activationMs: z.number().nonnegative().default(1_500),
  /** Whether a scripted agent answers. */
  agent: z.boolean().default(true),
  /** How long the agent takes to answer, on average; it varies by half of it. */
  agentDelayMs: z.number().nonnegative().default(800),
  /** Requests per OAuth client in any window, refused ones included. `off` is off for every surface. */
  rateLimit: RateLimit.default({ limit: 100, windowMs: 60_000 }),
  /** Surfaces that count by themselves, by name. */
  rateLimits: z.record(z.string(), RateLimit).default({
    conversations: { limit: 100, windowMs: 1_000 },
    'back-office': { limit: 300, windowMs: 60_000 },
  }),
  /** How a 429 says when to come back. */
  retryAfterFormat: z.enum(['seconds', 'http-date']).default('seconds'),
  /** What is added to the true `Retry-After`: less than 0 sends callers back too early. */
  retryAfterLieMs: z.number().default(0),
  tokenTtlSeconds: z.number().positive().default(3_600),
  /** The status of a call whose token lacks the scope; the documents say both. */
  missingScopeStatus: z.union([z.literal(403), z.literal(401)]).default(403),
  /** The status of `invalid_client`; older reports say 400, newer ones 401. */
  invalidClientStatus: z.union([z.literal(400), z.literal(401)]).default(400),
  /** The status of a creation or a send that worked, where the document names none. */
  createdStatus: z.union([z.literal(200), z.literal(201), z.literal(202)]).default(201),
  /** The status of a message to a conversation that is over, where the document names none. */
  closedStatus: z.union([z.literal(409), z.literal(404), z.literal(410)]).default(409),
}
