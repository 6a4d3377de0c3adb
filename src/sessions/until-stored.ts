import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'

export interface Persistence {
  clock: Clock
  /** From then on it is tried once more and given up. */
  isStopped(): boolean
  onTrouble(error: unknown): void
}

const retryMs = 1000

/** Runs what cannot be had again, again and again while the store takes no writes. */
export async function untilStored<T>(
  { clock, isStopped, onTrouble }: Persistence,
  run: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await run()
    } catch (error) {
      const isStoreTrouble = error instanceof GatewayError && error.code === 'overloaded'
      if (!isStoreTrouble || isStopped()) throw error
      onTrouble(error)
      await clock.sleep(retryMs)
    }
  }
}
