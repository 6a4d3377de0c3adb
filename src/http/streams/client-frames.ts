import { z } from 'zod'
import { text } from '../schemas/common.ts'

/** What a client may say on a session's WebSocket. */
export const ClientFrame = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message'),
    /** The client's own; comes back with the ack. */
    id: z.string().min(1).max(128),
    text: text(65_536).min(1),
  }),
  z.strictObject({ type: z.literal('typing') }),
  z.strictObject({ type: z.literal('renew'), token: z.string().max(4096) }),
])
export type ClientFrame = z.output<typeof ClientFrame>

/** Why the gateway closes a session's WebSocket. */
export const closeCodes = {
  token: 4401,
  origin: 4403,
  session: 4404,
  tooSlow: 4408,
  sessionOver: 4410,
  tooManyMessages: 4429,
  draining: 4503,
} as const
