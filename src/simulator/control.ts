/**
 * What a test or a person can do to the platform from outside: make it fail, move its clock, speak as its agent, see
 * what reached it. The `/__simulator/` routes offer the same over HTTP.
 */
import { z } from 'zod'
import { authors, type Conversation, type Message } from './conversations.ts'
import type { FaultRequest, StandingFault } from './faults.ts'
import { Behaviour } from './options.ts'
import type { ReceivedRequest } from './received.ts'
import type { Coverage } from './surface.ts'
import type { MovableTime } from './time.ts'
import type { RunningWorld } from './world.ts'

const shownConversations = 200

export interface Control {
  /** Forgets guests, tokens, faults and what was received; options and clock go back to how it started. */
  reset(): void
  faults: {
    add(fault: FaultRequest): StandingFault
    list(): StandingFault[]
    /** One by id, or all. Returns how many there were. */
    remove(id?: string): number
  }
  /** While frozen no guest becomes active. */
  freezeRouting(frozen: boolean): void
  /** Of one client, or of all. Returns how many there were. */
  revokeTokens(clientId?: string): number
  advanceClock(ms: number): void
  /** Changes how the platform behaves from the next request on. */
  configure(change: Partial<Behaviour>): Behaviour
  received: {
    /** Oldest first; `operation` may name a whole surface. */
    list(operation?: string): ReceivedRequest[]
    /** The first from now on that is finished with and accepted. */
    next(accepts?: (request: ReceivedRequest) => boolean): Promise<ReceivedRequest>
    clear(): void
  }
  /** Undefined for a conversation nobody knows. */
  conversation(id: string): Conversation | undefined
  /** Says something in a conversation whatever its state, by default as its agent. */
  say(conversationId: string, message: { author?: Message['author']; text: string }): Message
  close(conversationId: string): void
  state(): object
  coverage(): Record<string, readonly Coverage[]>
}

export const Saying = z.strictObject({
  author: z.enum(authors).default('agent'),
  text: z.string().min(1),
})

export interface ControlDeps {
  world: () => RunningWorld
  time: MovableTime
  reset: () => void
}

export function createControl({ world, time, reset }: ControlDeps): Control {
  return {
    reset,
    faults: {
      add: (fault) => world().faults.add(fault),
      list: () => world().faults.list(),
      remove: (id) => world().faults.remove(id),
    },
    freezeRouting: (frozen) => world().conversations.freezeRouting(frozen),
    revokeTokens: (clientId) => world().tokens.revokeAll(clientId),
    advanceClock: (ms) => time.advance(ms),
    configure: (change) => Object.assign(world().behaviour, Behaviour.partial().parse(change)),
    received: {
      list: (operation) => world().received.list(operation),
      next: (accepts) => world().received.next(accepts),
      clear: () => world().received.clear(),
    },
    conversation: (id) => world().conversations.find(id),
    say: (conversationId, message) => {
      const { author, text } = Saying.parse(message)
      return world().conversations.say(known(conversationId), author, text)
    },
    close: (conversationId) => world().conversations.close(known(conversationId)),
    state: () => describe(world()),
    coverage: () =>
      Object.fromEntries(world().surfaces.map((surface) => [surface.name, surface.coverage])),
  }

  function known(conversationId: string): Conversation {
    const conversation = world().conversations.find(conversationId)
    if (!conversation) throw new UnknownConversationError(conversationId)
    return conversation
  }
}

export class UnknownConversationError extends Error {
  override readonly name = 'UnknownConversationError'

  constructor(id: string) {
    super(`there is no conversation ${id}`)
  }
}

function describe(world: RunningWorld): object {
  const { behaviour, chance, conversations, faults, quotas, received, time, tokens } = world
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
