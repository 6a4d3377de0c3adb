import type { StreamNews } from '../genesys/dialect.ts'
import { RecentIds } from './recent-ids.ts'

type Ack = Extract<StreamNews, { kind: 'ack' }>
type Nack = Extract<StreamNews, { kind: 'nack' }>

/** What became of a frame that carried a message. */
export type FrameFate = Ack | Nack | { kind: 'timeout' } | { kind: 'lost' }

interface Waiting {
  key: string | null
  text: string
  settle(fate: FrameFate): void
  cancelTimer(): void
}

const rememberedAcks = 200

/**
 * Messages that left as frames and have no ack. An ack that names its message settles that one; one that names nothing
 * settles the oldest. The same ack again, by its upstream id, is nothing new.
 */
export class Unacked {
  readonly #waiting: Waiting[] = []
  #whenEmpty: (() => void)[] = []
  readonly #seen = new RecentIds(rememberedAcks)

  get size(): number {
    return this.#waiting.length
  }

  /** Resolves when nobody waits. */
  empty(): Promise<void> {
    if (this.#waiting.length === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenEmpty.push(resolve))
  }

  /** Key of the oldest message that says this and has one. */
  keyOf(text: string): string | null {
    return (
      this.#waiting.find((waiting) => waiting.text === text && waiting.key !== null)?.key ?? null
    )
  }

  /** `after` is the clock's: a fate of `timeout` comes after `timeoutMs`. */
  add(
    { key, text }: { key: string | null; text: string },
    timeoutMs: number,
    after: (ms: number, run: () => void) => () => void,
  ): Promise<FrameFate> {
    const { promise, resolve } = Promise.withResolvers<FrameFate>()
    const waiting: Waiting = {
      key,
      text,
      cancelTimer: after(timeoutMs, () => waiting.settle({ kind: 'timeout' })),
      settle: (fate) => {
        waiting.cancelTimer()
        const at = this.#waiting.indexOf(waiting)
        if (at !== -1) this.#waiting.splice(at, 1)
        resolve(fate)
        if (this.#waiting.length === 0) for (const tell of this.#whenEmpty.splice(0)) tell()
      },
    }
    this.#waiting.push(waiting)
    return promise
  }

  /** True when it settled a message. */
  settle(news: Ack | Nack): boolean {
    const upstreamId = news.kind === 'ack' ? news.upstreamId : null
    if (upstreamId !== null && !this.#seen.add(upstreamId)) return false
    const found =
      news.key === null
        ? this.#waiting[0]
        : this.#waiting.find((waiting) => waiting.key === news.key)
    found?.settle(news)
    return found !== undefined
  }

  /** The connection is gone: whatever had left may have arrived. */
  lose(): void {
    for (const waiting of [...this.#waiting]) waiting.settle({ kind: 'lost' })
  }
}
