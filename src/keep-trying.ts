import type { Clock } from './clock.ts'

export interface Patience {
  clock: Clock
  /** After a failure, milliseconds. */
  pauseMs: number
  onFailure(error: unknown): void
}

/** Does it until it has worked once. Returns the way to stop. */
export function keepTrying(work: () => Promise<void>, patience: Patience): () => void {
  const { clock, pauseMs, onFailure } = patience
  let cancel: () => void = () => undefined
  let isStopped = false
  const attempt = async () => {
    try {
      await work()
    } catch (error) {
      if (isStopped) return
      onFailure(error)
      cancel = clock.after(pauseMs, () => void attempt())
    }
  }
  void attempt()
  return () => {
    isStopped = true
    cancel()
  }
}
