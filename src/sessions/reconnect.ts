import type { Dialect } from '../genesys/dialect.ts'
import type { Store } from '../store/store.ts'
import type { Bridges } from './bridges.ts'
import type { SessionRegistry } from './registry.ts'
import type { Rotation } from './rotation.ts'
import { isOver, type Session } from './session.ts'
import { ended } from './steps.ts'

export interface ReconnectDeps {
  store: Store
  registry: SessionRegistry
  bridges: Bridges
  rotation: Rotation
  dialects: readonly Dialect[]
  now(): number
}

/**
 * Takes up the streams an earlier process held: dials again where the platform takes the same guest up, and ends the
 * session, saying so, where it does not. Returns how many of each.
 */
export async function reconnect(deps: ReconnectDeps) {
  const found = { redialled: 0, lost: 0 }
  for (const dialect of deps.dialects.filter(({ stream }) => stream !== undefined)) {
    for await (const session of openSessions(deps.store, dialect)) {
      if (dialect.stream?.resumable) {
        deps.bridges.start(session)
        deps.rotation.takeUp(session)
        found.redialled += 1
        continue
      }
      const cause = { at: deps.now(), actor: null, trace: null }
      await deps.registry.change(session.id, (current) =>
        isOver(current) ? undefined : ended(current, 'closed', 'stream-lost', cause),
      )
      found.lost += 1
    }
  }
  return found
}

async function* openSessions(store: Store, { name }: Dialect): AsyncGenerator<Session> {
  for (const state of ['pending', 'active'] as const) {
    // Each page is read whole before anything is done with it, because ending a session moves it out of the list.
    let cursor: string | undefined
    do {
      const page = await store.listSessions({ dialect: name, state }, { limit: 200, cursor })
      yield* page.items
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
  }
}
