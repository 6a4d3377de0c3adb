/** A world that is played: its surfaces, and the agent in it. A reset throws it away and makes another. */
import { startAgent } from './agent.ts'
import type { CompleteOptions } from './options.ts'
import type { SocketEndpoint } from './sockets/endpoint.ts'
import type { Operation, Surface } from './surface.ts'
import { surfaceMakers } from './surfaces/index.ts'
import type { MovableTime } from './time.ts'
import { newWorld, type World } from './world.ts'

/** Operations and sockets by `surface.name`. */
export interface RunningWorld extends World {
  readonly surfaces: readonly Surface[]
  readonly operations: ReadonlyMap<string, Operation>
  readonly endpoints: readonly { operation: string; endpoint: SocketEndpoint }[]
  /** Cuts every connection it holds. */
  end(): void
}

export function runWorld(options: CompleteOptions, time: MovableTime): RunningWorld {
  const ending = new AbortController()
  const world = newWorld(options, time, ending.signal)
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
