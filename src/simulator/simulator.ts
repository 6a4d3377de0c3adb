/**
 * A Genesys Cloud in miniature: a real HTTP and WebSocket server with state, for demonstrations and tests. It reads the platform's
 * documents for itself and shares nothing with the code that calls it.
 */
import type { AddressInfo } from 'node:net'
import { type Control, createControl } from './control.ts'
import { controlRoutes } from './control-routes.ts'
import { completeOptions, type SimulatorOptions } from './options.ts'
import { runWorld } from './running-world.ts'
import { createServer } from './server.ts'
import { serveUpgrades } from './sockets/upgrade.ts'
import { MovableTime } from './time.ts'

export interface Simulator extends AsyncDisposable {
  /** `http://host:port`, good for the API and the login host; with `ws:` for the messaging hosts. */
  readonly url: string
  readonly clients: readonly { id: string; secret: string }[]
  readonly control: Control
  /** As it was when it started, still listening on the same address. */
  reset(): void
}

/** Resolves once it listens. */
export async function startSimulator(options: Partial<SimulatorOptions> = {}): Promise<Simulator> {
  const settled = completeOptions(options)
  const time = new MovableTime(settled.clock)
  let world = runWorld(settled, time)

  function reset(): void {
    world.end()
    time.reset()
    world = runWorld(settled, time)
  }

  const control = createControl({ world: () => world, time, reset })
  const app = createServer(() => world)
  await app.register(controlRoutes, { prefix: '/__simulator', control })
  serveUpgrades(app.server, () => world)
  await app.listen({ host: settled.host, port: settled.port })
  const { port } = app.server.address() as AddressInfo

  return {
    url: `http://${settled.host}:${port}`,
    clients: settled.clients.map(({ id, secret }) => ({ id, secret })),
    control,
    reset,
    [Symbol.asyncDispose]: async () => {
      time.reset()
      world.end()
      await app.close()
    },
  }
}
