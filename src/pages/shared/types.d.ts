/** What the pages read of the API's answers; the whole of it is in openapi/openapi.yaml. */

export interface Dialect {
  name: string
  configured: boolean
  default: boolean
  capabilities: {
    transport: 'rest' | 'websocket'
    authors: string[]
    receives: boolean
  }
}

export interface Session {
  id: string
  dialect: string
  state: 'pending' | 'active' | 'closed' | 'expired' | 'failed'
  guestId: string
  conversationId: string | null
  guest: { name: string }
  stream: { state: 'none' | 'connecting' | 'open' | 'reconnecting' | 'closed' }
  latencyMs: { create: number; activate: number | null }
  closeReason: string | null
}

export interface Message {
  id: string
  direction: 'outbound' | 'inbound'
  author: string
  text: string
  status: 'accepted' | 'sending' | 'sent' | 'delivered' | 'read' | 'failed' | 'unconfirmed'
  acceptedAt: string
  latencyMs: number | null
  error: { code: string; detail: string } | null
}

/** CloudEvents 1.0; `subject` is the session, if it is about one. `typing` and `stream.reset` are not stored and have no sequence. */
export interface GatewayEvent {
  id: string
  type: string
  subject?: string
  time: string
  sequence?: number
  data: unknown
}

export interface StreamToken {
  eventsUrl: string
  websocketUrl: string
}

/** RFC 9457, as far as pages show it or act on it. `code` is null when the gateway could not be reached. */
export interface ProblemDetails {
  title: string
  detail: string
  code: string | null
  errors: { pointer: string; detail: string }[]
  retryable: boolean
  retryAfterSeconds: number | null
}
