import type { JournalEvent } from '../sessions/events.ts'
import { type Trace, traceHeaders } from '../trace.ts'
import type { Payload } from './formats.ts'
import { signatureHeaders } from './signature.ts'
import type { Webhook } from './webhook.ts'

export interface Circumstances {
  secrets: readonly string[]
  at: Date
  /** As the receiver is to see it. */
  trace: Trace | null
}

/** All headers of one try, made at `at`: the destination's own, and ours, which win. */
export function deliveryHeaders(
  { headers, apiKeyName }: Webhook,
  event: JournalEvent,
  { contentType, body }: Payload,
  { secrets, at, trace }: Circumstances,
): Record<string, string> {
  return {
    'user-agent': 'genesys-guest-gateway',
    ...lowerCased(headers),
    'content-type': contentType,
    'x-source': 'genesys-guest-gateway',
    ...(trace && traceHeaders(trace)),
    // The receiver's own call comes back to it.
    ...(event.actor !== null && event.actor === apiKeyName && { 'x-webhook-loop': apiKeyName }),
    ...signatureHeaders(secrets, event.id, at, body),
  }
}

/** So that one that is also ours is sent once. */
function lowerCased(headers: Record<string, string>): Record<string, string> {
  const entries = Object.entries(headers)
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]))
}
