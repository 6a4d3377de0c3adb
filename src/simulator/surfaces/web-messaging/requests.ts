/** What a guest may send, as far as it has to be well-formed. */
import { z } from 'zod'

const Texts = z.record(z.string(), z.string())
const Channel = z.looseObject({
  metadata: z.looseObject({ customAttributes: Texts.optional() }).optional(),
})

const ButtonResponse = z.looseObject({
  type: z.enum(['Button', 'DatePicker', 'Form', 'ListPicker', 'QuickReply']),
  text: z.string(),
  payload: z.string(),
  originatingMessageId: z.string().optional(),
})

const Content = z.discriminatedUnion('contentType', [
  z.object({
    contentType: z.literal('Attachment'),
    attachment: z.looseObject({ id: z.string() }),
  }),
  z.object({ contentType: z.literal('ButtonResponse'), buttonResponse: ButtonResponse }),
  z.object({
    contentType: z.literal('Form'),
    form: z.looseObject({ response: z.array(z.looseObject({})) }),
  }),
])

const Typing = z.object({
  eventType: z.literal('Typing'),
  typing: z.looseObject({ type: z.literal('On') }),
})
const Presence = z.object({
  eventType: z.literal('Presence'),
  presence: z.looseObject({ type: z.enum(['Join', 'Clear', 'Disconnect']) }),
})

const Saying = z
  .looseObject({
    /** Left out by some for a file without text. */
    type: z.enum(['Text', 'Structured']).default('Text'),
    text: z.string().default(''),
    content: z.array(Content).default([]),
    metadata: Texts.optional(),
    channel: Channel.optional(),
  })
  .refine(({ text, content }) => text !== '' || content.length > 0)

const Happening = z.looseObject({
  type: z.literal('Event'),
  events: z.array(z.discriminatedUnion('eventType', [Typing, Presence])).length(1),
  channel: Channel.optional(),
})

export const OnMessage = z.looseObject({
  message: z.union([Saying, Happening]),
  /** Where older clients put it. */
  channel: Channel.optional(),
})
export type OnMessage = z.infer<typeof OnMessage>
export type Saying = z.infer<typeof Saying>
export type Happening = z.infer<typeof Happening>

export const Configure = z.looseObject({
  deploymentId: z.string().min(1),
  token: z.string().min(1),
  startNew: z.boolean().default(false),
  data: z.looseObject({ code: z.string() }).optional(),
})

export const CloseSession = z.looseObject({ closeAllConnections: z.boolean() })

export const Echo = z.looseObject({ message: z.looseObject({ text: z.string() }) })

export const OnAttachment = z.looseObject({
  /** Not required by the published schema, and the platform's Java client gives none. */
  attachmentId: z.string().min(1).optional(),
  fileName: z.string().optional(),
  fileType: z.string().optional(),
  fileSize: z.number().optional(),
  errorsAsJson: z.boolean().default(false),
})

export const AttachmentById = z.looseObject({ attachmentId: z.string().min(1) })

/** The attributes a message carries, wherever it has them. */
export function customAttributesOf({
  message,
  channel,
}: OnMessage): Record<string, string> | undefined {
  return message.channel?.metadata?.customAttributes ?? channel?.metadata?.customAttributes
}
