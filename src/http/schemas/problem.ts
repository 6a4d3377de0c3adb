import { z } from 'zod'
import { type ErrorCode, errorCodes } from '../../errors.ts'
import { problemTypes } from '../problems.ts'
import { UpstreamSaid } from './message.ts'

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.enum(errorCodes),
    requestId: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
    retryable: z.boolean(),
    retryAfterSeconds: z.int().nullable(),
    upstream: UpstreamSaid.nullable(),
  })
  .meta({
    id: 'Problem',
    description: 'RFC 9457. A program needs only `code`, `retryable` and `retryAfterSeconds`',
  })

/** What any route under a key can answer, whatever it does. */
const everywhere: ErrorCode[] = [
  'invalid-request',
  'unauthorized',
  'forbidden',
  'rate-limited',
  'overloaded',
  'shutting-down',
]

/** The `response` entries of a route schema for the codes it can give, grouped by status, each with an example. */
export function problems(...codes: ErrorCode[]) {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set([...everywhere, ...codes])) {
    const { status } = problemTypes[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${problemTypes[code].title}`).join('. '),
        content: { 'application/problem+json': { schema: Problem } },
        'x-problem-codes': group,
      },
    ]),
  )
}

export function exampleProblem(code: ErrorCode): z.output<typeof Problem> {
  const { status, title, meaning } = problemTypes[code]
  const waits = [429, 503].includes(status)
  return {
    type: `/problems/${code}`,
    title,
    status,
    detail: meaning,
    instance: '/v1/sessions',
    code,
    requestId: '0195f3a2',
    errors: [],
    retryable: waits,
    retryAfterSeconds: waits ? 5 : null,
    upstream: null,
  }
}
