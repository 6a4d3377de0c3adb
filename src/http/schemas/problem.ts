import { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import { problemTypes } from '../problems.ts'
import { ProblemCode } from './common.ts'
import { UpstreamSaid } from './message.ts'

export const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: ProblemCode,
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
const underAKey: ErrorCode[] = [
  'invalid-request',
  'unauthorized',
  'forbidden',
  'rate-limited',
  'overloaded',
  'shutting-down',
]
/** The same of a route whose method carries a body, wanted or not. */
export const bodyFailures = ['body-too-large', 'unsupported-media-type'] as const

/** The `response` entries of a route schema for the codes it can give beside those of every route under a key. */
export function problems(...codes: ErrorCode[]) {
  return openProblems(...underAKey, ...codes)
}

/** The same for a route that needs no key, where `codes` are all there are. Grouped by status. */
export function openProblems(...codes: ErrorCode[]) {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set(codes)) {
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
    errors:
      code === 'invalid-request' ? [{ pointer: '/text', detail: 'is not a known field' }] : [],
    retryable: waits,
    retryAfterSeconds: waits ? 5 : null,
    upstream: null,
  }
}
