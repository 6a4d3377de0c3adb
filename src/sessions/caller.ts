import type { Trace } from '../trace.ts'

/** Who asked, and the trace the request belongs to. */
export interface Caller {
  /** Name of the API key; null for the gateway itself. */
  name: string | null
  /** Null for what no request asked for. */
  trace: Trace | null
  requestId: string | null
}

/** The gateway, acting by itself. */
export const gatewayItself: Caller = { name: null, trace: null, requestId: null }
