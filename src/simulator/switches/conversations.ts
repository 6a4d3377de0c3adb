/** Readings of the conversations surface's two documents. */
import { z } from 'zod'

export const ConversationsSwitches = z.strictObject({
  /** Where the creation answer has the conversation's id; `both` is id and conversationId. */
  conversationIdField: z.enum(['both', 'id', 'conversationId', 'conversation_id']).default('both'),
  /** The document calls a `to.id` of the wrong format an error and does not give the format. */
  queueIdFormat: z.enum(['any', 'uuid']).default('any'),
  /** What becomes of a message to a conversation nobody created: the document's example sends one. */
  unknownConversation: z.enum(['accepted', 'not-found']).default('accepted'),
  /** The status of a text over 4096 bytes; 413 in the list of errors, 400 in the text. */
  oversizeStatus: z.union([z.literal(413), z.literal(400)]).default(413),
  /** What a message that was taken says of itself. */
  deliveryStatus: z.string().min(1).default('delivered'),
})
