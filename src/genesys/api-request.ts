import type { UpstreamRequest } from './dialect.ts'
import type { HttpRequest } from './outcome.ts'

export interface Trace {
  traceparent?: string
  requestId?: string
}

const userAgent = 'genesys-guest-gateway'

/** A dialect's request as it goes on the wire. */
export function apiRequest(
  { method, path, body }: UpstreamRequest,
  token: string,
  trace: Trace | undefined,
  patience: Pick<HttpRequest, 'leaveBy' | 'timeoutMs'>,
): HttpRequest {
  const headers = ['authorization', `Bearer ${token}`, 'accept', 'application/json']
  headers.push('user-agent', userAgent)
  if (trace?.traceparent !== undefined) headers.push('traceparent', trace.traceparent)
  if (trace?.requestId !== undefined) headers.push('x-request-id', trace.requestId)
  if (body === undefined) return { method, path, headers, ...patience }
  headers.push('content-type', 'application/json')
  return { method, path, headers, body: JSON.stringify(body), ...patience }
}
