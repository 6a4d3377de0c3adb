import { z } from 'zod'
import { authors, messageStatuses } from '../../sessions/message.ts'
import type { NewMessage } from '../../sessions/new-message.ts'
import { json, line, ProblemCode, pageOf, Timestamp, text } from './common.ts'

const mediaType = z
  .string()
  .max(255)
  .regex(/^[\w.+-]+\/[\w.+-]+$/, 'Is not a media type such as text/plain')

const Attachment = z
  .strictObject({
    contentType: mediaType,
    url: z.url({ protocol: /^https?$/ }).max(2048),
    fileName: line(255),
    sizeBytes: z.int().min(0),
  })
  .meta({ id: 'Attachment', description: 'A file by its `http` or `https` URL' })

export const messageFields = {
  author: z.enum(authors).optional().meta({
    description: 'Who speaks; default: `bot`, or the guest itself where the dialect has no other',
  }),
  text: text(1_048_576).default('').meta({ description: 'May be empty only beside attachments' }),
  contentType: mediaType.default('text/plain'),
  attachments: z.array(Attachment).max(20).default([]),
  readReceipt: z.boolean().default(true),
  oversize: z
    .enum(['reject', 'split'])
    .default('reject')
    .meta({ description: 'What to do with a text over the limit' }),
  conversationId: line(256)
    .optional()
    .meta({ description: "Checked against the session's before anything leaves" }),
}
export const saysSomething = (message: { text: string; attachments: unknown[] }) =>
  message.text !== '' || message.attachments.length > 0
export const saysNothing = { path: ['text'], error: 'Is empty and there are no attachments' }

export const InjectMessage = z
  .strictObject(messageFields)
  .refine(saysSomething, saysNothing)
  .meta({
    id: 'InjectMessage',
    examples: [{ author: 'bot', text: 'Hello from the bot' }],
  })

export function newMessage(body: z.output<typeof InjectMessage>): NewMessage {
  const { author, text, contentType, attachments, readReceipt, oversize, conversationId } = body
  return {
    author: author ?? null,
    text,
    contentType,
    attachments,
    readReceipt,
    oversize,
    conversationId: conversationId ?? null,
  }
}

export const UpstreamSaid = z
  .object({
    status: z.int().nullable(),
    code: z.string().nullable(),
    message: z.string().nullable(),
    contextId: z.string().nullable(),
  })
  .meta({ id: 'UpstreamSaid', description: 'What the platform said' })

export const exampleMessage = {
  id: 'msg_019dab5c-8b21-7f0a-a1b2-3c4d5e6f7081',
  sessionId: 'gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e',
  direction: 'outbound',
  author: 'bot',
  text: 'Hello from the bot',
  contentType: 'text/plain',
  attachments: [],
  status: 'sent',
  upstreamId: 'msg-11223344-5566-4788-99aa-bbccddeeff00',
  upstreamStatus: null,
  acceptedAt: '2026-11-20T10:00:01.700Z',
  sentAt: '2026-11-20T10:00:01.741Z',
  latencyMs: 41,
  attempts: 1,
  parts: null,
  error: null,
}

export const PublicMessage = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    direction: z.enum(['outbound', 'inbound']),
    author: z.enum(authors),
    text: z.string(),
    contentType: z.string(),
    attachments: z.array(Attachment),
    content: json.optional().meta({
      description: 'The platform’s own content of a received message, where it is more than text',
    }),
    status: z.enum(messageStatuses),
    upstreamId: z.string().nullable(),
    upstreamStatus: z.string().nullable(),
    acceptedAt: Timestamp,
    sentAt: Timestamp.nullable(),
    latencyMs: z.number().nullable().meta({
      description:
        'What the platform call that was answered took, from its first byte out to the answer, of all parts together. What went before it is not in it: its turn, the guest’s activation, the quota, earlier attempts; those are between `acceptedAt` and `sentAt`',
    }),
    attempts: z.int().meta({
      description:
        'How often it left for the platform; one that came before the guest was active counts',
    }),
    parts: z
      .array(
        z.object({
          text: z.string(),
          status: z.enum(['accepted', 'sending', 'sent', 'failed', 'unconfirmed']),
          upstreamId: z.string().nullable(),
          sentAt: Timestamp.nullable(),
        }),
      )
      .nullable(),
    error: z
      .object({
        code: ProblemCode,
        detail: z.string(),
        retryable: z.boolean(),
        retryAfterSeconds: z.int().nullable(),
        upstream: UpstreamSaid.nullable(),
      })
      .nullable(),
  })
  .meta({
    id: 'Message',
    description:
      '`accepted`, `sending`, then `sent` (and where reported `delivered`, `read`), `failed`, or `unconfirmed`: it may have arrived, so it is never sent again by itself',
    examples: [exampleMessage],
  })

export const MessagePage = pageOf(PublicMessage, 'MessagePage')
