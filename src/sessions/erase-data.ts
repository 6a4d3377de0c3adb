import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import { closedAndErased, erased, erasedData, erasedMessage } from './erasure.ts'
import type { SessionRegistry } from './registry.ts'
import type { Session } from './session.ts'
import { askedBy } from './steps.ts'
import { storeTrouble } from './store-trouble.ts'

export interface EraseDeps {
  store: Store
  registry: SessionRegistry
  clock: Clock
  /** Ends the session `how`; harmless for one that is over. */
  close(id: string, caller: Caller, how: typeof closedAndErased): Promise<Session>
}

const eraser = { data: erasedData, message: erasedMessage }

/**
 * Takes what the guest is and said out of a session, for good; one that is not over is closed first. Resolves when it
 * is nowhere in the store any more. Again changes nothing. Throws `session-not-found`.
 */
export async function eraseData(deps: EraseDeps, id: string, caller: Caller): Promise<Session> {
  const { store, registry, clock, close } = deps
  await close(id, caller, closedAndErased)
  const session = await registry.change(id, (current) => {
    if (current.erasedAt !== null) return undefined
    return erased(current, askedBy(caller, clock.now()))
  })
  try {
    await store.erase(id, eraser)
  } catch (error) {
    throw storeTrouble(error)
  }
  return session
}

/** Ends the erasures that an earlier process had begun, those it can; the rest at the next start. Returns how many. */
export async function finishErasures(
  store: Store,
  onTrouble: (sessionId: string, error: unknown) => void,
): Promise<number> {
  let finished = 0
  for (const id of await store.unfinishedErasures()) {
    try {
      await store.erase(id, eraser)
      finished += 1
    } catch (error) {
      onTrouble(id, error)
    }
  }
  return finished
}
