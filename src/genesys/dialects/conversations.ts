/**
 * `conversations`: a conversation opened for a visitor by REST, and messages transmitted into it by REST.
 *
 *   POST /api/v2/conversations/messaging
 *        { type: 'messaging', initiator: { type: 'external', id, name }, to?: { id, type: 'routingQueue' },
 *          metadata?: { bot_score?, source_channel?, external_session_id?, … } }
 *     -> { conversationId (or conversation_id, or id), initiator?: { id }, … }
 *   POST /api/v2/conversations/messaging/messages
 *        { from: { id, type: 'user' | 'bot' | 'agent' | 'system' }, to: { id, type: 'conversation' },
 *          body: { contentType, content }, metadata: { readReceipt, transmissionTimestamp },
 *          attachments?: [{ contentType, url, fileName, size }] }
 *     -> { id, sentTime, deliveryStatus, … }          413, or 400, when something is too large
 */
import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'
import type { Dialect, NewGuest, OutboundText, UpstreamGuest } from '../dialect.ts'
import {
  accepted,
  platformId,
  platformTime,
  rejection,
  saysTooLarge,
  unreadable,
} from './answers.ts'
import { isoTime } from './instants.ts'

const conversation = '/api/v2/conversations/messaging'
const create = ['conversation:messaging:write', 'identity:manage'] as const
const write = ['messaging:conversation:write'] as const
const read = ['messaging:conversation:read'] as const

const optionalId = platformId.nullish().catch(null)

const CreatedConversation = z
  .object({
    conversationId: optionalId,
    conversation_id: optionalId,
    id: optionalId,
    initiator: z.object({ id: optionalId }).nullish().catch(null),
  })
  .transform(({ conversationId, conversation_id, id, initiator }) => ({
    conversationId: conversationId ?? conversation_id ?? id,
    initiatorId: initiator?.id ?? null,
  }))
  .pipe(z.object({ conversationId: z.string(), initiatorId: z.string().nullable() }))

const SentMessage = z.object({
  id: platformId,
  sentTime: platformTime,
  deliveryStatus: z.string().nullish().catch(null),
})

export const conversations: Dialect = {
  name: 'conversations',
  scopes: [...create, ...write, ...read],
  needs: [],
  capabilities: {
    transport: 'rest',
    authors: ['bot', 'user', 'agent', 'system'],
    attachments: true,
    readReceipts: true,
    typing: false,
    consent: false,
    tokenRefresh: false,
    closesUpstream: false,
    receives: false,
  },

  createGuest: {
    request: (input) => ({
      operation: 'createGuest',
      method: 'POST',
      path: conversation,
      body: conversationBody(input),
      scopes: create,
      repeatable: false,
    }),
    response(answer, input) {
      if (!accepted(answer)) return rejection(answer, 'metadata-too-large')
      const created = CreatedConversation.safeParse(answer.body)
      if (!created.success) return unreadable(answer, created.error)
      const { conversationId, initiatorId } = created.data
      return {
        kind: 'created',
        guest: {
          guestId: initiatorId ?? visitorIdOf(input),
          conversationId,
          upstream: {},
          secrets: null,
        },
        state: 'active',
        tokenExpiresAt: null,
      }
    },
  },

  sendMessage: {
    request: (guest, message) => ({
      operation: 'sendMessage',
      method: 'POST',
      path: `${conversation}/messages`,
      body: messageBody(guest, message),
      scopes: write,
      repeatable: false,
    }),
    response(answer) {
      if (saysTooLarge(answer)) return { ...rejection(answer), code: 'message-too-large' }
      if (!accepted(answer)) return rejection(answer)
      if (answer.status === 202 && answer.body === undefined && !answer.malformed) {
        return { kind: 'sent', upstreamId: null, upstreamStatus: null, sentAt: null }
      }
      const sent = SentMessage.safeParse(answer.body)
      if (!sent.success) return unreadable(answer, sent.error)
      return {
        kind: 'sent',
        upstreamId: sent.data.id,
        upstreamStatus: sent.data.deliveryStatus ?? null,
        sentAt: sent.data.sentTime,
      }
    },
  },
}

function conversationBody(input: NewGuest): JsonObject {
  const { guest, routing, metadata } = input
  if (routing.queueId === null) {
    const detail = 'is needed: a conversation begins in a queue (or set GENESYS_TARGET_QUEUE_ID)'
    const errors = [{ pointer: '/routing/queueId', detail }]
    throw new GatewayError('invalid-request', `/routing/queueId ${detail}`, { errors })
  }
  const body: JsonObject = {
    type: 'messaging',
    initiator: { type: 'external', id: visitorIdOf(input), name: guest.name },
    to: { id: routing.queueId, type: 'routingQueue' },
  }
  if (Object.keys(metadata).length > 0) body.metadata = metadata
  return body
}

function messageBody({ guestId, conversationId }: UpstreamGuest, said: OutboundText): JsonObject {
  const body: JsonObject = {
    from: { id: guestId, type: said.author },
    to: { id: conversationId, type: 'conversation' },
    body: { contentType: said.contentType, content: said.text },
    metadata: { readReceipt: said.readReceipt, transmissionTimestamp: isoTime(said.at) },
  }
  if (said.attachments.length > 0) {
    body.attachments = said.attachments.map(({ contentType, url, fileName, sizeBytes }) => ({
      contentType,
      url,
      fileName,
      size: sizeBytes,
    }))
  }
  return body
}

function visitorIdOf({ guest, uuid }: NewGuest): string {
  return guest.id ?? uuid
}
