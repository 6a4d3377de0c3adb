import { z } from 'zod'
import { text } from '../schemas/common.ts'

const id = z.string().min(1).max(128)

/** What a client may say on a session's WebSocket. */
export const ClientFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    /** The client's own; comes back with the ack. Said again within a day, it is the same message of the session. */
    id,
    text: text(65_536).min(1),
  }),
  z.strictObject({ type: z.literal('typing') }),
  z.strictObject({ type: z.literal('renew'), token: z.string().max(4096) }),
])
export type ClientFrame = z.output<typeof ClientFrame>

/** The id of what should be a frame, so that its refusal can name it; null where there is none. */
export function frameId(value: unknown): string | null {
  return z.object({ id }).safeParse(value).data?.id ?? null
}

/** Why the gateway closes a session's WebSocket. */
export const closeCodes = {
  token: 4401,
  origin: 4403,
  session: 4404,
  tooSlow: 4408,
  sessionOver: 4410,
  tooManyMessages: 4429,
  draining: 4503,
  /** RFC 6455's own code for it. */
  trouble: 1011,
} as const
export type CloseReason = keyof typeof closeCodes
