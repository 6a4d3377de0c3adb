import type { UpstreamSaid } from '../errors.ts'
import type { Answer } from './outcome.ts'
import { headerOf } from './retry.ts'

/**
 * What an error body says, in either of the platform's shapes: `{code, message, contextId}` of the API, or
 * `{error, error_description}` of the login host. Whatever is missing or of another type is null.
 */
export function upstreamSaid(answer: Answer): UpstreamSaid {
  const body =
    typeof answer.body === 'object' && answer.body !== null
      ? (answer.body as Record<string, unknown>)
      : {}
  return {
    status: answer.status,
    code: text(body.code) ?? text(body.error),
    message: text(body.message) ?? text(body.error_description) ?? text(body.description),
    contextId: contextIdOf(answer),
  }
}

/** The id Genesys' support asks for: in the body of errors, in a header of everything. */
export function contextIdOf(answer: Answer): string | null {
  const body = answer.body as { contextId?: unknown } | null | undefined
  const said = typeof body === 'object' ? text(body?.contextId) : null
  return said ?? headerOf(answer.headers, 'inin-correlation-id') ?? null
}

function text(value: unknown): string | null {
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value.slice(0, 500) : null
}
