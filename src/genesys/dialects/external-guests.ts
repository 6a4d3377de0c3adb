/**
 * `external-guests`: guests and their messages by REST.
 *
 *   POST /api/v2/external/webmessaging/guests
 *        { name, email?, languageCode?, routingData?: { queueId?, priority?, skillRequirements? } }
 *     -> { id, conversationId, name, … }                          no status: routing has only begun
 *   GET  /api/v2/external/webmessaging/guests/{guestId}
 *     -> { status: "ACTIVE" | … }
 *   POST /api/v2/external/webmessaging/guests/{guestId}/messages
 *        { type: "text", text, conversationId, author: { type: "user" | "agent" | "bot" | "system" } }
 *     -> { id, createdAt, … }      409 until the guest is ACTIVE, and for another guest's conversation
 */
import { z } from 'zod'
import type { JsonObject } from '../../json.ts'
import type { Dialect, NewGuest } from '../dialect.ts'
import { accepted, platformId, rejection, unreadable } from './answers.ts'

const guests = '/api/v2/external/webmessaging/guests'
const write = ['webmessaging:guest:write'] as const
const read = ['webmessaging:guest:read'] as const

const CreatedGuest = z.object({ id: platformId, conversationId: platformId })
const ReportedStatus = z.object({ status: z.string().nullish() })
const SentMessage = z.object({ id: platformId, createdAt: z.string().nullish() })

/** Words that mean the guest will not come back. Any other word but ACTIVE means not yet. */
const overWords = ['CLOSED', 'ENDED', 'DISCONNECTED', 'EXPIRED']

export const externalGuests: Dialect = {
  name: 'external-guests',
  scopes: [...write, ...read],
  needs: [],
  capabilities: {
    transport: 'rest',
    authors: ['bot', 'user', 'agent', 'system'],
    attachments: false,
    readReceipts: false,
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
      path: guests,
      body: guestBody(input),
      scopes: write,
      repeatable: false,
    }),
    response(answer) {
      if (!accepted(answer)) return rejection(answer)
      const created = CreatedGuest.safeParse(answer.body)
      if (!created.success) return unreadable(answer, created.error)
      return {
        kind: 'created',
        guest: {
          guestId: created.data.id,
          conversationId: created.data.conversationId,
          upstream: {},
          secrets: null,
        },
        state: 'pending',
        tokenExpiresAt: null,
      }
    },
  },

  guestStatus: {
    request: (guest) => ({
      operation: 'guestStatus',
      method: 'GET',
      path: `${guests}/${encodeURIComponent(guest.guestId)}`,
      scopes: read,
      repeatable: true,
    }),
    response(answer) {
      if (!accepted(answer)) return { kind: 'unanswerable' }
      const reported = ReportedStatus.safeParse(answer.body).data?.status ?? null
      const word = reported?.toUpperCase()
      if (word === 'ACTIVE') return { kind: 'active' }
      if (reported && word && overWords.includes(word)) return { kind: 'over', reported }
      return { kind: 'waiting', reported }
    },
  },

  sendMessage: {
    request: (guest, message) => ({
      operation: 'sendMessage',
      method: 'POST',
      path: `${guests}/${encodeURIComponent(guest.guestId)}/messages`,
      body: {
        type: 'text',
        text: message.text,
        conversationId: guest.conversationId,
        author: { type: message.author },
      },
      scopes: write,
      repeatable: false,
    }),
    response(answer) {
      // The conversation id is the one creation gave, so a 409 can only mean that routing has not ended.
      if (answer.status === 409) return { kind: 'not-ready' }
      if (!accepted(answer)) return rejection(answer, 'message-too-large')
      if (answer.status === 202 && answer.body === undefined && !answer.malformed) {
        return { kind: 'sent', upstreamId: null, upstreamStatus: null, sentAt: null }
      }
      const sent = SentMessage.safeParse(answer.body)
      if (!sent.success) return unreadable(answer, sent.error)
      const sentAt = Date.parse(sent.data.createdAt ?? '')
      return {
        kind: 'sent',
        upstreamId: sent.data.id,
        upstreamStatus: null,
        sentAt: Number.isNaN(sentAt) ? null : sentAt,
      }
    },
  },
}

function guestBody({ guest, routing }: NewGuest): JsonObject {
  const routingData: JsonObject = {}
  if (routing.queueId !== null) routingData.queueId = routing.queueId
  if (routing.priority !== null) routingData.priority = routing.priority
  if (routing.skills.length > 0) routingData.skillRequirements = routing.skills

  const body: JsonObject = { name: guest.name }
  if (guest.email !== null) body.email = guest.email
  if (guest.locale !== null) body.languageCode = guest.locale
  if (Object.keys(routingData).length > 0) body.routingData = routingData
  return body
}
