/** A web messaging conversation as a back office sees it: the customer, and once it is active the agent. */
import type { Chance } from '../chance.ts'
import type { Conversation } from '../conversation.ts'
import { wireId } from './web-messaging/structured-message.ts'

export function messageConversation(chance: Chance, conversation: Conversation): object {
  const { id, createdAt, activatedAt, closedAt, agent, messages } = conversation
  const state = closedAt === null ? 'connected' : 'disconnected'
  const spoken = (side: 'guest' | 'platform') =>
    messages
      .filter((message) => message.side === side)
      .map((message) => ({
        messageId: wireId(chance, message.id),
        messageTime: timeOf(message.at),
      }))
  const common = { state, direction: 'inbound', type: 'webmessaging', endTime: timeOf(closedAt) }
  const customer = {
    id: chance.uuid('participant', id, 'customer'),
    purpose: 'customer',
    ...common,
    connectedTime: timeOf(createdAt),
    messages: spoken('guest'),
  }
  const other = {
    id: chance.uuid('participant', id, 'agent'),
    purpose: 'agent',
    ...common,
    ...(agent && { name: agent.nickname, user: { id: agent.id } }),
    connectedTime: timeOf(activatedAt),
    messages: spoken('platform'),
  }
  return {
    id,
    participants: activatedAt === null ? [customer] : [customer, other],
    selfUri: `/api/v2/conversations/messages/${id}`,
  }
}

/** Left out of the JSON when it has not happened. */
function timeOf(at: number | null): string | undefined {
  return at === null ? undefined : new Date(at).toISOString()
}
