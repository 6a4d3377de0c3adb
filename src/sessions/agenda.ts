import TinyQueue from 'tinyqueue'
import type { Clock } from '../clock.ts'

interface Entry {
  key: string
  at: number
}

/** Things to do at their times, one per key, on one timer however many there are. */
export class Agenda implements Disposable {
  readonly #clock: Clock
  readonly #run: (key: string) => void
  /** May hold entries that were moved or dropped; `#times` says which still count. */
  #queue = new TinyQueue<Entry>([], earlier)
  readonly #times = new Map<string, number>()
  #armedFor = Number.POSITIVE_INFINITY
  #cancel: () => void = () => undefined

  constructor(clock: Clock, run: (key: string) => void) {
    this.#clock = clock
    this.#run = run
  }

  /** Puts the key at that time, epoch ms, instead of where it was. */
  set(key: string, at: number): void {
    this.#times.set(key, at)
    this.#queue.push({ key, at })
    this.#clear()
    if (at < this.#armedFor) this.#arm()
  }

  drop(key: string): void {
    this.#times.delete(key)
    this.#clear()
  }

  [Symbol.dispose](): void {
    this.#cancel()
    this.#times.clear()
  }

  /** Throws out what does not count any more once it is most of what there is. */
  #clear(): void {
    if (this.#queue.length < 64 || this.#queue.length < 2 * this.#times.size) return
    const entries = [...this.#times].map(([key, at]) => ({ key, at }))
    this.#queue = new TinyQueue(entries, earlier)
  }

  #arm(): void {
    this.#cancel()
    const next = this.#queue.peek()
    this.#armedFor = next?.at ?? Number.POSITIVE_INFINITY
    if (!next) return
    // A timer takes at most 2^31 ms; an early look does no harm.
    const ms = Math.min(Math.max(0, next.at - this.#clock.now()), 86_400_000)
    this.#cancel = this.#clock.after(ms, () => this.#due())
  }

  #due(): void {
    const now = this.#clock.now()
    for (let next = this.#queue.peek(); next && next.at <= now; next = this.#queue.peek()) {
      this.#queue.pop()
      if (this.#times.get(next.key) !== next.at) continue
      this.#times.delete(next.key)
      this.#run(next.key)
    }
    this.#arm()
  }
}

function earlier(a: Entry, b: Entry): number {
  return a.at - b.at
}
