/** The span of one attempt at the platform's API. The path stays out: it has ids in it that callers may have chosen. */
import type { Trace } from '../trace.ts'
import { type Span, serverOf, type Tracer } from '../tracing.ts'
import type { UpstreamRequest } from './dialect.ts'
import type { Outcome } from './outcome.ts'

export interface Attempt {
  baseUrl: string
  dialect: string
  parent: Trace | null | undefined
  /** From 1. */
  attempt: number
}

export function startCallSpan(
  tracer: Tracer,
  { method, operation }: UpstreamRequest,
  { baseUrl, dialect, parent, attempt }: Attempt,
): Span {
  return tracer.start(`${method} ${operation}`, {
    kind: 'client',
    parent: parent ?? null,
    attributes: {
      'http.request.method': method,
      'http.request.resend_count': attempt > 1 ? attempt - 1 : undefined,
      ...serverOf(baseUrl),
      'gateway.operation': operation,
      'gateway.dialect': dialect,
    },
  })
}

export function endCallSpan(span: Span, outcome: Outcome): void {
  if (outcome.kind === 'fault') {
    span.end(outcome.fault)
    return
  }
  const { status } = outcome
  span.set({ 'http.response.status_code': status })
  span.end(status >= 400 ? String(status) : undefined)
}
