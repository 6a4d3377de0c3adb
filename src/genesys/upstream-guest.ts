import type { JsonObject } from '../json.ts'

/** What the platform knows the guest by. */
export interface UpstreamGuest {
  guestId: string
  conversationId: string | null
  /** What the dialect must remember that is not a secret. */
  upstream: JsonObject
  /** What it must remember that is. */
  secrets: JsonObject | null
}
