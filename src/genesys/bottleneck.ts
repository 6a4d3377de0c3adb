/**
 * Bottleneck 2.19.5, cut down to the one shape that keeps a sliding window: `limit` places, each held until its
 * holder gives it back. What is known to be wrong with that release is worked around here and nowhere else.
 */
import Bottleneck from 'bottleneck'

/** Gives the place back. */
export type Leave = () => void

export interface Gate {
  /** A place at once, where one is at hand. */
  tryEnter(): Leave | undefined
  /** Resolves once there is a place; 0 goes before 9. */
  enter(priority: number): Promise<Leave>
  /** So many places before anyone else gets one. */
  hold(places: number): Leave
}

/** Places that were taken together, in one job of that weight; they are given back together. */
interface Block {
  left: number
  taken: number
  leave: Leave
}

/**
 * Its reservoirs let twice the quota through a sliding window, so `maxConcurrent` is the only setting used. A job costs
 * a hundred microseconds and a turn of the event loop, so a large quota is taken a hundredth at a time: what is left of
 * a block when it is given back is all that can go unused. Up to a limit of 199 a block is one place.
 */
export function openGate(limit: number): Gate {
  const limiter = new Bottleneck({ maxConcurrent: limit })
  yieldWithoutTimers(limiter)
  keepEventsForListeners(limiter)
  const weight = Math.max(1, Math.floor(limit / 100))
  let open: Block | undefined
  let opening: Promise<void> | undefined

  const take = (block: Block): Leave => {
    block.left -= 1
    block.taken += 1
    if (block.left === 0) open = undefined
    return () => {
      block.taken -= 1
      if (block.taken === 0 && block !== open) block.leave()
    }
  }
  const nextBlock = (priority: number) =>
    new Promise<Block>((admit, refuse) => {
      limiter
        .schedule({ priority, weight }, () => {
          return new Promise<void>((leave) => admit({ left: weight, taken: 0, leave }))
        })
        .catch(refuse)
    })
  const hold = (places: number): Leave => {
    const { promise, resolve } = Promise.withResolvers<void>()
    // Only a limiter that was stopped refuses, and this one never is.
    void limiter.schedule({ priority: 0, weight: places }, () => promise)
    return resolve
  }
  if (weight === 1) {
    // Each asks for itself, so that Bottleneck sees every priority.
    return {
      hold,
      tryEnter: () => undefined,
      enter: async (priority) => take(await nextBlock(priority)),
    }
  }
  return {
    hold,
    tryEnter: () => open && take(open),
    enter: async (priority) => {
      while (!open) {
        opening ??= nextBlock(priority)
          .then((block) => {
            open = block
          })
          .finally(() => {
            opening = undefined
          })
        await opening
      }
      return take(open)
    },
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
