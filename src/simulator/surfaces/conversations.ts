/**
 * The conversations surface: one call opens a conversation for a visitor, another transmits a message into it.
 *
 *   POST /api/v2/conversations/messaging
 *     { type: 'messaging', initiator: { type?, id, name? }, to: { id, type? }, metadata? }
 *     → 201 { id, conversationId, type, initiator, to, participants, metadata, createdAt }
 *   POST /api/v2/conversations/messaging/messages
 *     { from: { id, type }, to: { id, type: 'conversation' }, body: { contentType, content }, attachments?, metadata? }
 *     → 200 { id, from, to, body, sentTime, deliveryStatus }
 */
import { z } from 'zod'
import type { Answer } from '../answer.ts'
import { authors, type Conversation } from '../conversation.ts'
import { codeOfStatus, invalidBody, platformError, tooLarge } from '../platform-error.ts'
import type { Call, Coverage, Surface } from '../surface.ts'
import type { World } from '../world.ts'

const createScope = 'conversation:messaging:write'
const sendScope = 'messaging:conversation:write'
const maxTextBytes = 4096
const maxMetadataBytes = 65_536
const maxAttachmentBytes = 25 * 1024 * 1024

const Metadata = z.looseObject({})

const NewConversation = z.object({
  type: z.literal('messaging'),
  initiator: z.object({
    type: z.string().default('external'),
    id: z.string().trim().min(1),
    name: z.string().optional(),
  }),
  to: z.object({ id: z.string().trim().min(1), type: z.string().default('routingQueue') }),
  metadata: Metadata.nullish(),
})

const NewMessage = z.object({
  from: z.object({ id: z.string().min(1), type: z.enum(authors) }),
  to: z.object({ id: z.string().min(1), type: z.literal('conversation') }),
  body: z.object({ contentType: z.enum(['text/plain', 'text/html']), content: z.string() }),
  attachments: z
    .array(
      z.object({
        contentType: z.enum(['image/png', 'image/jpeg', 'application/pdf', 'text/plain']),
        url: z.url({ protocol: /^https?$/ }),
        fileName: z.string().min(1),
        size: z.int().nonnegative(),
      }),
    )
    .default([]),
  metadata: Metadata.nullish(),
})

export function conversations({ conversations: all, behaviour, chance, time }: World): Surface {
  const surface = 'conversations'
  const path = '/api/v2/conversations/messaging'
  let sent = 0
  return {
    name: surface,
    operations: [
      {
        name: 'createConversation',
        method: 'POST',
        path,
        access: [createScope],
        answer: ({ body }) => create(body),
      },
      {
        name: 'sendMessage',
        method: 'POST',
        path: `${path}/messages`,
        access: [sendScope],
        answer: send,
      },
    ],
    coverage,
  }

  function create(body: unknown): Answer {
    const parsed = NewConversation.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const { metadata } = parsed.data
    if (Buffer.byteLength(JSON.stringify(metadata ?? {})) > maxMetadataBytes) {
      return tooLarge('metadata', maxMetadataBytes, 400)
    }
    const { initiator, to } = parsed.data
    if (behaviour.conversations.queueIdFormat === 'uuid' && !z.uuid().safeParse(to.id).success) {
      return platformError(400, 'invalid.value', 'There is no queue {queueId}', {
        params: { queueId: to.id },
        details: [{ errorCode: 'invalid.value', fieldName: 'to.id' }],
      })
    }
    const guest = { initiator, to, ...(metadata && { metadata }) }
    const conversation = all.open({ surface, guest, guestId: initiator.id })
    all.route(conversation)
    return {
      status: 201,
      body: {
        ...idFields(conversation.id),
        type: 'messaging',
        ...guest,
        participants: [
          {
            id: chance.uuid('participant', conversation.id),
            purpose: 'customer',
            externalId: initiator.id,
            ...(initiator.name !== undefined && { name: initiator.name }),
          },
        ],
        createdAt: new Date(conversation.createdAt).toISOString(),
      },
    }
  }

  function idFields(id: string): object {
    const field = behaviour.conversations.conversationIdField
    return field === 'both' ? { id, conversationId: id } : { [field]: id }
  }

  function send({ body, quota }: Call): Answer {
    const parsed = NewMessage.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const { from, to, body: said, attachments } = parsed.data
    const { oversizeStatus, deliveryStatus } = behaviour.conversations
    if (Buffer.byteLength(said.content) > maxTextBytes) {
      return tooLarge('body.content', maxTextBytes, oversizeStatus)
    }
    const heavy = attachments.some(({ size }) => size > maxAttachmentBytes)
    if (heavy) return tooLarge('attachments.size', maxAttachmentBytes, oversizeStatus)
    const conversation = all.find(to.id) ?? adopt(to.id, from.id)
    if (!conversation || conversation.surface !== surface) {
      return platformError(404, 'not.found', 'Unable to find conversation {conversationId}', {
        params: { conversationId: to.id },
      })
    }
    if (conversation.status === 'CLOSED') {
      const status = behaviour.closedStatus
      return platformError(status, codeOfStatus(status), 'The conversation {id} has ended', {
        params: { id: to.id },
      })
    }
    const message = all.say(conversation, {
      author: from.type,
      side: 'guest',
      text: said.content,
      content: attachments,
    })
    sent += 1
    return {
      status: 200,
      body: {
        id: message.id,
        from,
        to,
        body: said,
        ...(attachments.length > 0 && { attachments }),
        sentTime: new Date(time.now()).toISOString(),
        deliveryStatus,
      },
      headers: {
        'x-request-id': `req-${chance.uuid('request', sent)}`,
        ...(quota && { 'x-ratelimit-remaining': String(quota.limit - quota.used) }),
      },
    }
  }

  /** The document's example writes into a conversation nobody created: it is there all the same, if switched so. */
  function adopt(id: string, guestId: string): Conversation | undefined {
    if (behaviour.conversations.unknownConversation === 'not-found') return undefined
    const conversation = all.open({ surface, guest: {}, guestId, id })
    all.route(conversation)
    return conversation
  }
}

const coverage: readonly Coverage[] = [
  { feature: 'Open a conversation', state: 'supported', operation: 'createConversation' },
  {
    feature: 'Transmit a message, with attachments',
    state: 'supported',
    operation: 'sendMessage',
  },
  {
    feature: 'Name of the conversation id in the creation answer',
    state: 'unconfirmed',
    switches: ['conversations.conversationIdField'],
    note: 'id and conversationId, or one of id, conversationId, conversation_id',
  },
  {
    feature: 'Format of a queue id',
    state: 'unconfirmed',
    switches: ['conversations.queueIdFormat'],
    note: 'any, or a UUID',
  },
  {
    feature: 'Messages to a conversation nobody created',
    state: 'unconfirmed',
    switches: ['conversations.unknownConversation'],
    note: 'accepted as in the example, or 404',
  },
  {
    feature: 'Status of a text that is too long',
    state: 'unconfirmed',
    switches: ['conversations.oversizeStatus'],
    note: '413, or 400',
  },
  {
    feature: 'Delivery statuses',
    state: 'unconfirmed',
    switches: ['conversations.deliveryStatus'],
    note: 'delivered, or whatever is switched on; it never changes later',
  },
  {
    feature: 'Messages to a conversation that is over',
    state: 'unconfirmed',
    switches: ['closedStatus'],
    note: '409, 404 or 410',
  },
  {
    feature: 'Quota of its own',
    state: 'supported',
    note: '100 a second, rateLimits.conversations',
  },
  {
    feature: 'The scope identity:manage',
    state: 'not-imitated',
    note: 'listed as a prerequisite; nothing here asks for it',
  },
  {
    feature: 'Read receipts',
    state: 'not-imitated',
    note: 'the flag is taken; there is no guest client to acknowledge and no call to ask',
  },
  { feature: 'Session duration limits of the routing configuration', state: 'not-imitated' },
  {
    feature: 'Reading a conversation',
    state: 'not-imitated',
    route: 'GET /api/v2/conversations/messaging/some-conversation',
    note: 'not in the documents',
  },
]
