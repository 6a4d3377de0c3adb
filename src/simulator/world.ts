/** All the state of a simulated platform. A reset throws it away and makes another. */
import type { Socket } from 'node:net'
import { startAgent } from './agent.ts'
import { Chance } from './chance.ts'
import { Conversations } from './conversations.ts'
import { Faults } from './faults.ts'
import type { CompleteOptions } from './options.ts'
import { PlatformEvents } from './platform-events.ts'
import { Quotas } from './quota.ts'
import { ReceivedLog } from './received.ts'
import { everyScope } from './scopes.ts'
import type { SocketEndpoint } from './sockets/endpoint.ts'
import { Links } from './sockets/links.ts'
import type { Operation, Surface } from './surface.ts'
import { surfaceMakers } from './surfaces/index.ts'
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

/** A world with its surfaces, their operations and sockets by `surface.name`. */
export interface RunningWorld extends World {
  readonly surfaces: readonly Surface[]
  readonly operations: ReadonlyMap<string, Operation>
  readonly endpoints: readonly { operation: string; endpoint: SocketEndpoint }[]
  /** Cuts every connection it holds. */
  end(): void
}

export function createWorld(options: CompleteOptions, time: MovableTime): RunningWorld {
  const behaviour = structuredClone(options.behaviour)
  const chance = new Chance(options.seed)
  const limit = options.conversationLimit
  const ending = new AbortController()
  const world: World = {
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
    over: ending.signal,
  }
  startAgent(world)
  const surfaces = surfaceMakers.map((make) => make(world))
  const operations = surfaces.flatMap((surface) =>
    surface.operations.map(
      (operation) => [`${surface.name}.${operation.name}`, operation] as const,
    ),
  )
  const endpoints = surfaces.flatMap((surface) =>
    (surface.sockets ?? []).map((endpoint) => ({
      operation: `${surface.name}.${endpoint.name}`,
      endpoint,
    })),
  )
  return {
    ...world,
    surfaces,
    operations: new Map(operations),
    endpoints,
    end: () => {
      ending.abort()
      for (const socket of world.held) socket.destroy()
      for (const link of world.links.list()) link.destroy()
    },
  }
}
