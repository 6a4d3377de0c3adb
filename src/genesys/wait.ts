import type { Clock } from '../clock.ts'

export interface Patience {
  clock: Clock
  /** Epoch ms. */
  deadline: number
  signal?: AbortSignal | undefined
  /** The error to fail with when the deadline comes first. */
  late: () => Error
}

/** Node fires a timer set for longer than this at once. */
const longestTimerMs = 2 ** 31 - 1

/** The promise's outcome, unless the deadline or the signal comes first. The promise itself goes on. */
export function within<T>(promise: Promise<T>, patience: Patience): Promise<T> {
  const { clock, deadline, signal, late } = patience
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal?.reason)
    const cancel = clock.after(timerMs(deadline - clock.now()), () => reject(late()))
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => {
      cancel()
      signal?.removeEventListener('abort', onAbort)
    })
  })
}

export function timerMs(ms: number): number {
  return Math.min(Math.max(0, ms), longestTimerMs)
}
