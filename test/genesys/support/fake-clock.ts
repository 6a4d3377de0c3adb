import type { Clock } from '../../../src/clock.ts'

interface Alarm {
  at: number
  ring: () => void
}

/** Time that moves only when told to. Sockets stay real, so let them finish before moving on. */
export class FakeClock implements Clock {
  #now: number
  #alarms: Alarm[] = []

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const alarm = { at: this.#now + Math.ceil(ms), ring: run }
    this.#alarms.push(alarm)
    return () => {
      this.#alarms = this.#alarms.filter((each) => each !== alarm)
    }
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.after(ms, resolve)
      const onAbort = () => {
        cancel()
        reject(signal?.reason)
      }
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.length
  }

  /** Rings what is due on the way, in order. */
  advance(ms: number): void {
    const until = this.#now + ms
    for (;;) {
      const due = this.#alarms.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#alarms = this.#alarms.filter((each) => each !== due)
      this.#now = Math.max(this.#now, due.at)
      due.ring()
    }
    this.#now = until
  }
}
