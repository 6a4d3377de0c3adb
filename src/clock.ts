import { setTimeout as delay } from 'node:timers/promises'

/** Time as the gateway sees it. Everything that waits or stamps takes one, so a test can move it. */
export interface Clock {
  /** Wall clock, whole milliseconds since the epoch. */
  now(): number
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. Never holds the process open. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `run` once after `ms`; returns its cancel. Never holds the process open. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal, ref: false } : { ref: false })
  },
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** Calls `run` when what is being handled now has been, before anything else is; returns its cancel. */
export function afterThis(run: () => void): () => void {
  let cancelled = false
  queueMicrotask(() => {
    if (!cancelled) run()
  })
  return () => {
    cancelled = true
  }
}
