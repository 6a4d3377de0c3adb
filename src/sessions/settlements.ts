import type { Clock } from '../clock.ts'
import type { JournalEvent } from './events.ts'
import type { Feed } from './feed.ts'

/** Somebody's wait for the outcome of a message. */
export interface Awaited {
  /** The event that settled it; undefined when the time was up, or the process stops. */
  outcome: Promise<JournalEvent | undefined>
  cancel(): void
}

/** Those who wait for messages to be settled. Ask before the message is on its way, so that nothing is missed. */
export class Settlements {
  readonly #feed: Feed
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()
  #released = false

  constructor(feed: Feed, clock: Clock) {
    this.#feed = feed
    this.#clock = clock
  }

  of(messageId: string, waitMs: number): Awaited {
    const { promise: outcome, resolve } = Promise.withResolvers<JournalEvent | undefined>()
    const giveUp = () => resolve(undefined)
    const forget = this.#feed.onMessage(messageId, (event) => {
      if (event.type !== 'message.accepted') resolve(event)
    })
    const cancelTimer = this.#clock.after(waitMs, giveUp)
    this.#waiting.add(giveUp)
    if (this.#released) giveUp()
    const cancel = () => {
      forget()
      cancelTimer()
      this.#waiting.delete(giveUp)
    }
    return { outcome, cancel }
  }

  /** Lets everybody who waits go on with what is known now; for stopping. */
  release(): void {
    this.#released = true
    for (const giveUp of this.#waiting) giveUp()
  }
}
