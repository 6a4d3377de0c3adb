/** All the state of a simulated platform. */
import type { Socket } from 'node:net'
import { Chance } from './chance.ts'
import { Conversations } from './conversations.ts'
import { Faults } from './faults.ts'
import type { CompleteOptions } from './options.ts'
import { PlatformEvents } from './platform-events.ts'
import { Quotas } from './quota.ts'
import { ReceivedLog } from './received.ts'
import { everyScope } from './scopes.ts'
import { Links } from './sockets/links.ts'
import type { Behaviour } from './switches/behaviour.ts'
import type { MovableTime } from './time.ts'
import { TokenDesk } from './token-desk.ts'

export interface World {
  readonly behaviour: Behaviour
  readonly time: MovableTime
  readonly chance: Chance
  readonly tokens: TokenDesk
  readonly quotas: Quotas
  readonly faults: Faults
  readonly received: ReceivedLog
  readonly conversations: Conversations
  readonly links: Links
  readonly events: PlatformEvents
  /** Connections whose answer is being kept back. */
  readonly held: Set<Socket>
  /** Aborted when the world ends. */
  readonly over: AbortSignal
}

/** A world in which nothing has happened yet. */
export function newWorld(options: CompleteOptions, time: MovableTime, over: AbortSignal): World {
  const behaviour = structuredClone(options.behaviour)
  const chance = new Chance(options.seed)
  const limit = options.conversationLimit
  return {
    behaviour,
    time,
    chance,
    tokens: new TokenDesk(options.clients, everyScope, chance, time),
    quotas: new Quotas(),
    faults: new Faults(chance),
    received: new ReceivedLog(options.receivedLimit),
    conversations: new Conversations({ chance, time, behaviour, limit }),
    links: new Links(),
    events: new PlatformEvents(),
    held: new Set(),
    over,
  }
}
