import type { Clock } from '../clock.ts'
import type { JournalEvent } from './events.ts'
import type { Feed } from './feed.ts'

/** Somebody's wait for the outcome of a message. */
export interface Awaited {
  /** The event that settled it; undefined when the time was up, or the process stops. */
  outcome: Promise<JournalEvent | undefined>
  cancel(): void
}

/**
 * Lets go of its promise when it is over: what has left a Map or Set that many come to and go from stays reachable by
 * the tables that it had before, until V8 collects its old generation; and all that stays is moved there.
 */
interface Wait {
  resolve: ((event: JournalEvent | undefined) => void) | undefined
}

/** Those who wait for messages to be settled. Ask before the message is on its way, so that nothing is missed. */
export class Settlements {
  readonly #feed: Feed
  readonly #clock: Clock
  readonly #waiting = new Set<Wait>()
  #released = false

  constructor(feed: Feed, clock: Clock) {
    this.#feed = feed
    this.#clock = clock
  }

  of(messageId: string, waitMs: number): Awaited {
    const { promise: outcome, resolve } = Promise.withResolvers<JournalEvent | undefined>()
    const wait: Wait = { resolve }
    const forget = this.#feed.onMessage(messageId, (event) => {
      if (event.type !== 'message.accepted') wait.resolve?.(event)
    })
    const cancelTimer = this.#clock.after(waitMs, () => wait.resolve?.(undefined))
    this.#waiting.add(wait)
    if (this.#released) resolve(undefined)
    const cancel = () => {
      forget()
      cancelTimer()
      this.#waiting.delete(wait)
      wait.resolve = undefined
    }
    return { outcome, cancel }
  }

  /** Lets everybody who waits go on with what is known now; for stopping. */
  release(): void {
    this.#released = true
    for (const wait of this.#waiting) wait.resolve?.(undefined)
  }
}
