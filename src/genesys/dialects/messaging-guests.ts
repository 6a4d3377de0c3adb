/**
 * `messaging-guests`: a guest registered by REST and talked through a WebSocket that opens once, at once.
 *
 *   POST /api/v2/conversations/messaging/guests
 *        { name, email?, locale?, queueId?, routingData: { priority, skillRequirements } }
 *     -> { id, conversationId, webChatToken, … }              the token is short-lived and good for one socket
 *   wss  messaging.{domain}/api/v2/conversations/messaging/guests/{guestId}/websocket?webChatToken=…
 *     >  { type: 'message', conversationId, senderId, text, messageType: 'text' }
 *     <  as in plain-frames.ts; of `conversationMetadata`, `closed` ends the session and nothing else does
 */
import { z } from 'zod'
import type { JsonObject } from '../../json.ts'
import type { Dialect, NewGuest } from '../dialect.ts'
import { accepted, platformId, rejection, unreadable } from './answers.ts'
import { remembered } from './fields.ts'
import { readPlainFrame } from './plain-frames.ts'

const guests = '/api/v2/conversations/messaging/guests'
const read = ['webchat:guest:read'] as const
const write = ['webchat:guest:write'] as const
const send = ['webchat:guest:send'] as const

const RegisteredGuest = z.object({
  id: platformId,
  conversationId: platformId,
  webChatToken: z.string().min(1),
})

export const messagingGuests: Dialect = {
  name: 'messaging-guests',
  scopes: [...read, ...write, ...send],
  needs: [],
  capabilities: {
    transport: 'websocket',
    authors: ['user'],
    attachments: false,
    readReceipts: false,
    typing: false,
    consent: false,
    tokenRefresh: false,
    closesUpstream: false,
    receives: true,
  },

  createGuest: {
    request: (input) => ({
      operation: 'createGuest',
      method: 'POST',
      path: guests,
      body: guestBody(input),
      scopes: write,
      repeatable: false,
    }),
    response(answer) {
      if (!accepted(answer)) return rejection(answer)
      const registered = RegisteredGuest.safeParse(answer.body)
      if (!registered.success) return unreadable(answer, registered.error)
      const { id, conversationId, webChatToken } = registered.data
      return {
        kind: 'created',
        guest: { guestId: id, conversationId, upstream: {}, secrets: { webChatToken } },
        state: 'pending',
        tokenExpiresAt: null,
      }
    },
  },

  stream: {
    resumable: false,
    limits: {},
    open({ guestId, secrets }, { messaging }) {
      const query = new URLSearchParams({ webChatToken: remembered(secrets, 'webChatToken') })
      return {
        url: `${messaging}${guests}/${encodeURIComponent(guestId)}/websocket?${query}`,
        origin: null,
        frames: [],
        readyWhen: 'opened',
      }
    },
    read: (frame, guest) => readPlainFrame(frame, guest, [guest.guestId]),
    message: ({ guestId, conversationId }, { text }) => ({
      frame: { type: 'message', conversationId, senderId: guestId, text, messageType: 'text' },
      ackKey: null,
    }),
  },
}

function guestBody({ guest, routing }: NewGuest): JsonObject {
  const body: JsonObject = { name: guest.name }
  if (guest.email !== null) body.email = guest.email
  if (guest.locale !== null) body.locale = guest.locale
  if (routing.queueId !== null) body.queueId = routing.queueId
  body.routingData = {
    priority: routing.priority ?? 1,
    skillRequirements: routing.skills,
  }
  return body
}
