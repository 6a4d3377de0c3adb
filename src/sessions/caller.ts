/** Who asked, and the trace the request belongs to. */
export interface Caller {
  /** Name of the API key; null for the gateway itself. */
  name: string | null
  /** W3C traceparent to continue; null when the caller gave none. */
  traceparent: string | null
  requestId: string | null
}

/** The gateway, acting by itself. */
export const gatewayItself: Caller = { name: null, traceparent: null, requestId: null }

/** The trace as the Genesys client takes it. */
export function traceOf({ traceparent, requestId }: Caller) {
  return { ...(traceparent && { traceparent }), ...(requestId && { requestId }) }
}
