/**
 * Bottleneck 2.19.5, cut down to the one shape that keeps a sliding window: `limit` places, each held until its
 * holder gives it back. What is known to be wrong with that release is worked around here and nowhere else.
 */
import Bottleneck from 'bottleneck'

/** Gives the place back. */
export type Leave = () => void

export interface Gate {
  /** Resolves once there is a place; 0 goes before 9. */
  enter(priority: number): Promise<Leave>
}

/** Its reservoirs let twice the quota through a sliding window, so `maxConcurrent` is the only setting used. */
export function openGate(limit: number): Gate {
  const limiter = new Bottleneck({ maxConcurrent: limit })
  yieldWithoutTimers(limiter)
  keepEventsForListeners(limiter)
  return {
    enter: (priority) =>
      new Promise((admit, refuse) => {
        limiter
          .schedule({ priority }, () => new Promise<void>((leave) => admit(leave)))
          .catch(refuse)
      }),
  }
}

/** What is changed of it is private; the version is pinned. */
interface Insides {
  _store: { yieldLoop(): Promise<void> }
  Events: { _events: Record<string, unknown>; trigger(name: string, ...args: unknown[]): unknown }
}

/**
 * Each step of its local store waits for a 0 ms timer (at least 1 ms) inside a lock that all jobs share: 430 jobs a
 * second at most. An immediate keeps the same order at 12,000 a second.
 */
function yieldWithoutTimers(limiter: Bottleneck): void {
  const { _store: store } = limiter as unknown as Insides
  store.yieldLoop = () => new Promise((resolve) => setImmediate(resolve))
}

/** A job triggers a score of events, a promise or more each, though nobody listens: a quarter of its cost. */
function keepEventsForListeners(limiter: Bottleneck): void {
  const { Events: events } = limiter as unknown as Insides
  const trigger = events.trigger.bind(events)
  events.trigger = (name, ...args) =>
    events._events[name] === undefined ? undefined : trigger(name, ...args)
}
