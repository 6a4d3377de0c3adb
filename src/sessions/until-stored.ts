import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'

export interface Persistence {
  clock: Clock
  /** From then on it is tried once more and given up. */
  isStopped(): boolean
  /** Told each time, where that is news: the store logs its trouble itself. */
  onTrouble?(error: unknown): void
}

const retryMs = 1000

/** Runs what cannot be had again, again and again while the store takes no writes. */
export async function untilStored<T>(persistence: Persistence, run: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      const isStoreTrouble = error instanceof GatewayError && error.code === 'overloaded'
      if (!isStoreTrouble || persistence.isStopped()) throw error
      persistence.onTrouble?.(error)
      await persistence.clock.sleep(retryMs)
    }
  }
}
