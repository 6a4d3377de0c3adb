/**
 * What a test or a person can do to the platform from outside: make it fail, move its clock, speak as its agent, see
 * what reached it. The `/__simulator/` routes offer the same over HTTP.
 */
import { z } from 'zod'
import { createSocketControl, type SocketControl } from './control-sockets.ts'
import { describeWorld } from './control-state.ts'
import { type Agent, authors, type Conversation, type Message } from './conversation.ts'
import { requireOperation } from './fault-operations.ts'
import type { FaultRequest } from './fault-rules.ts'
import { parseRule, type StandingFault } from './faults.ts'
import type { ReceivedRequest } from './received.ts'
import type { RunningWorld } from './running-world.ts'
import type { Coverage, GuestControl } from './surface.ts'
import { type Behaviour, type BehaviourChange, changedBehaviour } from './switches/behaviour.ts'
import type { MovableTime } from './time.ts'

export interface Control {
  /** Forgets guests, tokens, faults and what was received; options and clock go back to how it started. */
  reset(): void
  faults: {
    /** Throws a ZodError on a rule that makes no sense or could never hit. */
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
  configure(change: BehaviourChange): Behaviour
  received: {
    /** Oldest first; `operation` may name a whole surface. */
    list(operation?: string): ReceivedRequest[]
    /** The first from now on that is finished with and accepted. */
    next(accepts?: (request: ReceivedRequest) => boolean): Promise<ReceivedRequest>
    clear(): void
  }
  sockets: SocketControl
  /** Any id or token of a conversation or its guest; undefined when nobody knows it. */
  conversation(id: string): Conversation | undefined
  /** Somebody comes to the guest, whether or not routing was over. */
  join(id: string, agent?: Partial<Agent>): void
  /** Says something whatever the state, by default as the agent. */
  say(id: string, saying: z.input<typeof PlatformSaying>): Message
  /** The agent is typing. */
  type(id: string): void
  /** The agent ends the conversation. */
  close(id: string): void
  /** The guest's session or token is over, as if its time had come. */
  expire(id: string): void
  /** The guest's connections are told that another has taken their place. */
  displace(id: string): void
  /** The platform loses the guest's session without a word; web-messaging only. */
  forget(id: string): void
  state(): object
  coverage(): Record<string, readonly Coverage[]>
}

const PlatformSaying = z.strictObject({
  author: z.enum(authors).default('agent'),
  text: z.string().default(''),
  /** Structured content, as the surface writes it. */
  content: z.array(z.looseObject({})).default([]),
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
      add: (fault) => {
        const rule = parseRule(fault)
        requireOperation(rule, world())
        return world().faults.add(rule)
      },
      list: () => world().faults.list(),
      remove: (id) => world().faults.remove(id),
    },
    freezeRouting: (frozen) => world().conversations.freezeRouting(frozen),
    revokeTokens: (clientId) => world().tokens.revokeAll(clientId),
    advanceClock: (ms) => time.advance(ms),
    configure: (change) => {
      const { behaviour } = world()
      return Object.assign(behaviour, changedBehaviour(behaviour, change))
    },
    received: {
      list: (operation) => world().received.list(operation),
      next: (accepts) => world().received.next(accepts),
      clear: () => world().received.clear(),
    },
    sockets: createSocketControl(() => world().links),
    conversation: find,
    join: (id, agent) => world().conversations.join(known(id), agent ?? {}),
    say: (id, saying) => {
      const said = PlatformSaying.parse(saying)
      return world().conversations.say(known(id), { ...said, side: 'platform' })
    },
    type: (id) => world().conversations.type(known(id)),
    close: (id) => world().conversations.close(known(id)),
    expire: (id) => onGuest(id, (guests) => guests.expire(id)),
    displace: (id) => onGuest(id, (guests) => guests.displace(id)),
    forget: (id) => onGuest(id, (guests) => guests.forget?.(id) ?? false),
    state: () => describeWorld(world()),
    coverage: () =>
      Object.fromEntries(world().surfaces.map((surface) => [surface.name, surface.coverage])),
  }

  function find(id: string): Conversation | undefined {
    const { conversations, surfaces } = world()
    const found = conversations.find(id)
    if (found) return found
    for (const { guests } of surfaces) {
      const conversation = guests?.conversationOf(id)
      if (conversation) return conversation
    }
    return undefined
  }

  function known(id: string): Conversation {
    const conversation = find(id)
    if (!conversation) throw new UnknownConversationError(id)
    return conversation
  }

  function onGuest(id: string, act: (guests: GuestControl) => boolean): void {
    const done = world().surfaces.some(({ guests }) => guests && act(guests))
    if (!done) throw new UnknownConversationError(id)
  }
}

export class UnknownConversationError extends Error {
  override readonly name = 'UnknownConversationError'

  constructor(id: string) {
    super(`there is no conversation or guest ${id}`)
  }
}
