/**
 * The external web-messaging guest surface.
 *
 *   POST /api/v2/external/webmessaging/guests
 *     { name, email?, languageCode?, routingData?: { queueId } }
 *     → { id, conversationId, name, email, languageCode, routingData, createdAt }      no status
 *   GET  …/guests/{guestId}              → the same with status, ACTIVE once someone is there
 *   POST …/guests/{guestId}/messages
 *     { type: 'text', text, conversationId, author: { type } }
 *     → { id: 'msg-…', type, text, author, conversationId, createdAt }                 409 until ACTIVE
 *   GET  …/guests/{guestId}/messages     → { entities: [message], total }
 *
 * A guest with a queue is routed at once. One without waits until a message comes: that message is refused with the
 * 409 of a guest still routing, and routing starts.
 */
import { z } from 'zod'
import type { Answer } from '../answer.ts'
import { authors, type Conversation, type Message } from '../conversation.ts'
import { codeOfStatus, invalidBody, platformError, tooLarge } from '../platform-error.ts'
import type { Call, Surface } from '../surface.ts'
import type { World } from '../world.ts'

const readScope = 'webmessaging:guest:read'
const writeScope = 'webmessaging:guest:write'
const maxTextBytes = 4096

const NewGuest = z.object({
  name: z.string().trim().min(1),
  email: z.string().optional(),
  languageCode: z.string().optional(),
  routingData: z.looseObject({ queueId: z.string().min(1).optional() }).optional(),
})

const NewMessage = z.object({
  type: z.literal('text'),
  text: z.string().min(1),
  conversationId: z.string().min(1),
  author: z.object({ type: z.enum(authors) }),
})

export function externalGuests({ conversations, behaviour }: World): Surface {
  const path = '/api/v2/external/webmessaging/guests'
  return {
    name: 'external-guests',
    operations: [
      { name: 'createGuest', method: 'POST', path, access: [writeScope], answer: createGuest },
      {
        name: 'getGuest',
        method: 'GET',
        path: `${path}/:guestId`,
        access: [readScope],
        answer: (call) =>
          withGuest(call, (guest) => ({ status: 200, body: guestBody(guest, true) })),
      },
      {
        name: 'sendMessage',
        method: 'POST',
        path: `${path}/:guestId/messages`,
        access: [writeScope],
        answer: (call) => withGuest(call, (guest) => sendMessage(guest, call.body)),
      },
      {
        name: 'listMessages',
        method: 'GET',
        path: `${path}/:guestId/messages`,
        access: [readScope],
        answer: (call) => withGuest(call, listMessages),
      },
    ],
    coverage: [
      { feature: 'Create a guest', state: 'supported', operation: 'createGuest' },
      { feature: 'Guest status', state: 'supported', operation: 'getGuest' },
      {
        feature: 'Messages as user, agent, bot, system',
        state: 'supported',
        operation: 'sendMessage',
      },
      {
        feature: 'Read the conversation',
        state: 'unconfirmed',
        operation: 'listMessages',
        note: 'not in the document; here so that a conversation can be looked at',
      },
      {
        feature: 'Names of the statuses before ACTIVE',
        state: 'unconfirmed',
        note: 'PENDING without a queue, then ROUTING; CLOSED at the end',
      },
      {
        feature: 'Success statuses of creation and send',
        state: 'unconfirmed',
        switches: ['createdStatus'],
        note: '201, 200 or 202',
      },
      {
        feature: 'Status of a message to a guest that is over',
        state: 'unconfirmed',
        switches: ['closedStatus'],
        note: '409 like one that is not ready, or 404, or 410',
      },
      {
        feature: 'Queues and skills',
        state: 'partial',
        note: 'any queue id is taken and always has someone; priority and skills are kept, not obeyed',
      },
      {
        feature: 'Ending a guest',
        state: 'not-imitated',
        route: `DELETE ${path}/some-guest`,
        note: 'not in the document; POST /__simulator/conversations/{id}/close ends one',
      },
      { feature: 'Webhook events of the web messaging profile', state: 'not-imitated' },
    ],
  }

  function createGuest({ body }: Call): Answer {
    const parsed = NewGuest.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const conversation = conversations.open({ surface: 'external-guests', guest: parsed.data })
    if (parsed.data.routingData?.queueId !== undefined) conversations.route(conversation)
    return { status: behaviour.createdStatus, body: guestBody(conversation, false) }
  }

  function sendMessage(guest: Conversation, body: unknown): Answer {
    const parsed = NewMessage.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const { text, conversationId, author } = parsed.data
    if (Buffer.byteLength(text) > maxTextBytes) return tooLarge('text', maxTextBytes)
    if (conversationId !== guest.id) {
      return platformError(
        409,
        'conflict',
        'The conversationId {conversationId} does not belong to guest {guestId}',
        {
          params: { conversationId, guestId: guest.guestId },
          details: [{ errorCode: 'conversation.mismatch', fieldName: 'conversationId' }],
        },
      )
    }
    if (guest.status !== 'ACTIVE') {
      conversations.route(guest)
      const status = guest.status === 'CLOSED' ? behaviour.closedStatus : 409
      return platformError(status, codeOfStatus(status), notReadyText(guest), {
        params: { guestId: guest.guestId, status: guest.status },
      })
    }
    const message = conversations.say(guest, { author: author.type, side: 'guest', text })
    return { status: behaviour.createdStatus, body: messageBody(guest, message) }
  }

  function withGuest(call: Call, answer: (guest: Conversation) => Answer): Answer {
    const guestId = call.params.guestId ?? ''
    const guest = conversations.ofGuest('external-guests', guestId)
    if (guest) return answer(guest)
    return platformError(404, 'not.found', 'Unable to find guest {guestId}', {
      params: { guestId },
    })
  }
}

function notReadyText(guest: Conversation): string {
  return guest.status === 'CLOSED'
    ? 'The session of guest {guestId} has ended (status {status})'
    : 'The session of guest {guestId} is not ready: it is still routing (status {status})'
}

function listMessages(guest: Conversation): Answer {
  const entities = guest.messages.map((message) => messageBody(guest, message))
  return { status: 200, body: { entities, total: entities.length } }
}

function guestBody(conversation: Conversation, withStatus: boolean): object {
  return {
    id: conversation.guestId,
    conversationId: conversation.id,
    ...conversation.guest,
    ...(withStatus && { status: conversation.status }),
    createdAt: new Date(conversation.createdAt).toISOString(),
  }
}

function messageBody(conversation: Conversation, message: Message): object {
  return {
    id: message.id,
    type: 'text',
    text: message.text,
    author: { type: message.author },
    conversationId: conversation.id,
    createdAt: new Date(message.at).toISOString(),
  }
}
