/**
 * What a back-office server with OAuth can do about web messaging conversations.
 *
 *   GET   /api/v2/conversations/messages/{messageId}/details      → { id, conversationId, … }: from a frame to its conversation
 *   GET   /api/v2/conversations/messages/{conversationId}         → { id, participants, … }
 *   PATCH /api/v2/conversations/messages/{conversationId} { state: 'disconnected' }
 *   POST  …/{conversationId}/communications/{communicationId}/messages { textBody }      for agents, not for OAuth clients
 */
import { z } from 'zod'
import type { Answer } from '../answer.ts'
import type { Conversation } from '../conversation.ts'
import { invalidBody, platformError } from '../platform-error.ts'
import type { Call, Coverage, Surface } from '../surface.ts'
import type { World } from '../world.ts'
import { messageConversation } from './message-conversation.ts'
import { wireId } from './web-messaging/structured-message.ts'

const path = '/api/v2/conversations/messages'
const Change = z.looseObject({ state: z.literal('disconnected') })
const AgentMessage = z.looseObject({ textBody: z.string().min(1) })

export function backOffice({ behaviour, chance, conversations }: World): Surface {
  /** By the id a message has on the wire. */
  const byMessage = new Map<string, { conversation: Conversation; at: number }>()
  conversations.watch((conversation, event) => {
    if (conversation.surface !== 'web-messaging') return
    if (event.kind === 'message') {
      const { id, at } = event.message
      byMessage.set(wireId(chance, id), { conversation, at })
    }
    if (event.kind === 'forgotten') {
      for (const { id } of conversation.messages) byMessage.delete(wireId(chance, id))
    }
  })
  return {
    name: 'back-office',
    operations: [
      {
        name: 'getMessageDetails',
        method: 'GET',
        path: `${path}/:id/details`,
        access: 'any',
        answer: getDetails,
      },
      {
        name: 'getMessageConversation',
        method: 'GET',
        path: `${path}/:id`,
        access: 'any',
        answer: getConversation,
      },
      {
        name: 'changeConversation',
        method: 'PATCH',
        path: `${path}/:id`,
        access: 'any',
        answer: change,
      },
      {
        name: 'sendAgentMessage',
        method: 'POST',
        path: `${path}/:id/communications/:communicationId/messages`,
        access: 'any',
        answer: sendAsAgent,
      },
    ],
    coverage,
  }

  function getDetails({ params }: Call): Answer {
    const known = byMessage.get(params.id ?? '')
    if (!known) return unknown('message', params.id)
    const timestamp = new Date(known.at).toISOString()
    return {
      status: 200,
      body: {
        id: params.id,
        conversationId: known.conversation.id,
        timestamp,
        messengerType: 'webmessaging',
      },
    }
  }

  function getConversation({ params }: Call): Answer {
    const conversation = conversations.find(params.id ?? '')
    if (conversation?.surface !== 'web-messaging') return unknown('conversation', params.id)
    return { status: 200, body: messageConversation(chance, conversation) }
  }

  function change({ params, body }: Call): Answer {
    const conversation = conversations.find(params.id ?? '')
    if (!conversation) return unknown('conversation', params.id)
    const parsed = Change.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    conversations.close(conversation)
    return { status: 200, body: { id: conversation.id, state: 'disconnected' } }
  }

  function sendAsAgent({ params, body }: Call): Answer {
    if (behaviour.webMessaging.agentMessagesByClient === 'forbidden') {
      const text = 'This needs the communication of a connected agent'
      return platformError(403, 'not.authorized', text)
    }
    const conversation = conversations.find(params.id ?? '')
    if (!conversation) return unknown('conversation', params.id)
    const parsed = AgentMessage.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const said = { author: 'agent', side: 'platform', text: parsed.data.textBody } as const
    const message = conversations.say(conversation, said)
    return {
      status: 200,
      body: {
        id: wireId(chance, message.id),
        conversationId: conversation.id,
        timestamp: new Date(message.at).toISOString(),
        direction: 'outbound',
        messengerType: 'webmessaging',
        status: 'sent',
        textBody: message.text,
      },
    }
  }

  function unknown(what: string, id = ''): Answer {
    return platformError(404, 'not.found', 'Unable to find {what} {id}', { params: { what, id } })
  }
}

const coverage: readonly Coverage[] = [
  {
    feature: 'From a message to its conversation',
    state: 'supported',
    operation: 'getMessageDetails',
    note: 'at once; the platform may take a moment',
  },
  {
    feature: 'A conversation and who is in it',
    state: 'partial',
    operation: 'getMessageConversation',
    note: 'customer and agent; no attributes, queues or transfers',
  },
  {
    feature: 'Disconnecting a conversation',
    state: 'supported',
    operation: 'changeConversation',
  },
  {
    feature: 'Agent messages by an OAuth client',
    state: 'unconfirmed',
    operation: 'sendAgentMessage',
    switches: ['webMessaging.agentMessagesByClient'],
    note: '403, or taken; any communication id will do',
  },
  {
    feature: 'Permissions by role and division',
    state: 'not-imitated',
    note: 'any good token may',
  },
  {
    feature: 'Everything else about conversations',
    state: 'not-imitated',
    route: 'GET /api/v2/conversations',
  },
]
