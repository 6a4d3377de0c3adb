/** All the state of a simulated platform. A reset throws it away and makes another. */
import type { Socket } from 'node:net'
import { startAgent } from './agent.ts'
import { Chance } from './chance.ts'
import { Conversations } from './conversations.ts'
import { Faults } from './faults.ts'
import { type Behaviour, behaviourOf, type SimulatorOptions } from './options.ts'
import { Quotas } from './quota.ts'
import { ReceivedLog } from './received.ts'
import { everyScope } from './scopes.ts'
import type { Operation, Surface } from './surface.ts'
import { surfaceMakers } from './surfaces/index.ts'
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
  /** Connections whose answer is being kept back. */
  readonly held: Set<Socket>
}

/** A world with its surfaces, their operations by `surface.name`. */
export interface RunningWorld extends World {
  readonly surfaces: readonly Surface[]
  readonly operations: ReadonlyMap<string, Operation>
}

export function createWorld(options: SimulatorOptions, time: MovableTime): RunningWorld {
  const behaviour = behaviourOf(options)
  const chance = new Chance(options.seed)
  const conversations = new Conversations({
    chance,
    time,
    behaviour,
    limit: options.conversationLimit,
  })
  const world: World = {
    behaviour,
    time,
    chance,
    tokens: new TokenDesk(options.clients, everyScope, chance, time),
    quotas: new Quotas(),
    faults: new Faults(chance),
    received: new ReceivedLog(options.receivedLimit),
    conversations,
    held: new Set(),
  }
  startAgent(world)
  const surfaces = surfaceMakers.map((make) => make(world))
  const operations = new Map(
    surfaces.flatMap((surface) =>
      surface.operations.map((operation) => [`${surface.name}.${operation.name}`, operation]),
    ),
  )
  return { ...world, surfaces, operations }
}
