/** Readings of the messaging-guests surface's document. */
import { z } from 'zod'

export const MessagingGuestsSwitches = z.strictObject({
  /** How long a webChatToken is good for its one connection. */
  webChatTokenTtlSeconds: z.number().positive().default(60),
  /**
   * What a guest sees of a message that nobody receives: one for another conversation, from another sender, or after
   * the end. The document only says that the agent does not get it.
   */
  undelivered: z.enum(['no-ack', 'ack', 'error']).default('no-ack'),
  /** Whether an ack repeats the fields of the frame that the document does not know. */
  ackEchoes: z.enum(['nothing', 'unknown-fields']).default('nothing'),
  /** What a registration naming the id of a guest that is there gives. */
  secondRegistration: z.enum(['new-guest', 'same-guest', 'conflict']).default('new-guest'),
  /** What becomes of the socket when the conversation is closed. */
  closedSocket: z.enum(['stays', 'closes']).default('stays'),
  /** Whether a registration must name a queue. */
  queueRequired: z.boolean().default(true),
})
