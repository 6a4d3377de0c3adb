/** What happened in each of the last sixty minutes. */

export type Happening =
  | 'created'
  | 'ended'
  | 'judged'
  | 'dropped'
  | 'accepted'
  | 'sent'
  | 'failed'
  | 'received'

export type MinuteCounts = Record<Happening, number>

export type LastHourState = [minute: number, counts: MinuteCounts][]

export const minuteMs = 60_000
const keptMinutes = 60

export class LastHour {
  /** By minutes since the epoch. */
  readonly #minutes: Map<number, MinuteCounts>

  constructor(state: LastHourState = []) {
    this.#minutes = new Map(state)
  }

  /** `at` in epoch ms. */
  count(happening: Happening, at: number): void {
    const minute = Math.floor(at / minuteMs)
    let counts = this.#minutes.get(minute)
    if (!counts) {
      counts = nothing()
      this.#minutes.set(minute, counts)
      this.#prune()
    }
    counts[happening] += 1
  }

  /** Oldest first, the last one being the minute `now` (epoch ms) is in. */
  read(now: number): { from: number; counts: MinuteCounts }[] {
    const current = Math.floor(now / minuteMs)
    return Array.from({ length: keptMinutes }, (_, index) => {
      const minute = current - keptMinutes + 1 + index
      return { from: minute * minuteMs, counts: { ...(this.#minutes.get(minute) ?? nothing()) } }
    })
  }

  save(): LastHourState {
    return [...this.#minutes]
  }

  /** Of a journal that is read again, only the end is kept. */
  #prune(): void {
    const newest = Math.max(...this.#minutes.keys())
    for (const minute of this.#minutes.keys()) {
      if (minute <= newest - keptMinutes) this.#minutes.delete(minute)
    }
  }
}

function nothing(): MinuteCounts {
  return {
    created: 0,
    ended: 0,
    judged: 0,
    dropped: 0,
    accepted: 0,
    sent: 0,
    failed: 0,
    received: 0,
  }
}
