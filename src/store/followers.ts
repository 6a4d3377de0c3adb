import type { JournalEvent } from '../sessions/events.ts'
import type { StoreLog } from './store-log.ts'

type Follower = (events: readonly JournalEvent[]) => void

/** Those who hear of events as they become durable. One that throws is reported, and harms nobody. */
export class Followers {
  readonly #followers = new Set<Follower>()
  readonly #log: StoreLog
  #pending: JournalEvent[] = []

  constructor(log: StoreLog) {
    this.#log = log
  }

  add(follower: Follower): () => void {
    // A function of its own, so that one who follows twice is told twice.
    const entry: Follower = (events) => follower(events)
    this.#followers.add(entry)
    return () => this.#followers.delete(entry)
  }

  /** Holds an event back until it is durable. */
  expect(event: JournalEvent): void {
    this.#pending.push(event)
  }

  tell(): void {
    const events = this.#pending
    if (events.length === 0) return
    this.#pending = []
    for (const follower of [...this.#followers]) {
      try {
        follower(events)
      } catch (error) {
        this.#log.error({ err: error }, 'A follower of the journal failed')
      }
    }
  }

  /** They did not happen. */
  drop(): void {
    this.#pending = []
  }
}
