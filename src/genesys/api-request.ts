import type { Trace } from '../trace.ts'
import type { UpstreamRequest } from './dialect.ts'
import type { HttpRequest } from './outcome.ts'

/** On whose behalf a call is made. */
export interface Behalf {
  trace?: Trace | null | undefined
  requestId?: string | null | undefined
}

const userAgent = 'genesys-guest-gateway'

/** A dialect's request as it goes on the wire. */
export function apiRequest(
  { method, path, body }: UpstreamRequest,
  token: string,
  { trace, requestId }: Behalf,
  patience: Pick<HttpRequest, 'leaveBy' | 'timeoutMs'>,
): HttpRequest {
  const headers = ['authorization', `Bearer ${token}`, 'accept', 'application/json']
  // Answers are small: to unpack one costs more than it saves. Without this line any coding would do.
  headers.push('accept-encoding', 'identity', 'user-agent', userAgent)
  if (trace) headers.push('traceparent', trace.parent)
  if (trace?.state) headers.push('tracestate', trace.state)
  if (requestId) headers.push('x-request-id', requestId)
  if (body === undefined) return { method, path, headers, ...patience }
  headers.push('content-type', 'application/json')
  return { method, path, headers, body: JSON.stringify(body), ...patience }
}
