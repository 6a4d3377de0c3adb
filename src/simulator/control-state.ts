/** What there is, for people and tests to look at: never a secret. */
import type { RunningWorld } from './running-world.ts'

const shownConversations = 200

export function describeWorld(world: RunningWorld): object {
  const { behaviour, chance, conversations, faults, links, quotas, received, time, tokens } = world
  return {
    now: new Date(time.now()).toISOString(),
    seed: chance.seed,
    behaviour,
    routingFrozen: conversations.frozen,
    clients: tokens.clients().map(({ id, granted }) => ({
      id,
      scopes: [...granted],
      liveTokens: tokens.liveCount(id),
      quotaUsed: quotas.used(id, time.now()),
    })),
    faults: faults.list(),
    received: received.total,
    sockets: links.list().length,
    conversationCount: conversations.count,
    conversations: conversations.newest(shownConversations).map((conversation) => ({
      id: conversation.id,
      surface: conversation.surface,
      guestId: conversation.guestId,
      status: conversation.status,
      messages: conversation.messages.length,
    })),
  }
}
