import type { ServerResponse } from 'node:http'
import type { Clock } from '../../clock.ts'
import { type Connection, comeBackAfterMs, drainGraceMs } from './connections.ts'

/** A client that has taken nothing for so long is not slow but gone. */
const stallMs = 60_000

export const eventStreamHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would otherwise collect events instead of passing them on.
  'x-accel-buffering': 'no',
}

/** One Server-Sent Events answer: writes, waits for a slow client, and ends once. */
export class SseConnection implements Connection {
  readonly #raw: ServerResponse
  readonly #clock: Clock
  readonly #whenEnded: (() => void)[] = []
  #ended = false

  /**
   * `cursor` is the client's until its first event; null where that is what the client said itself. Headers already set
   * on the response stay.
   */
  constructor(raw: ServerResponse, clock: Clock, cursor: number | null) {
    this.#raw = raw
    this.#clock = clock
    // It may have gone while its request was looked at; then nobody would tell of its end any more.
    if (raw.destroyed) {
      this.#ended = true
      return
    }
    // A write that comes too late for its client is no news: 'close' follows.
    raw.on('error', () => undefined)
    raw.once('close', () => this.#finish())
    raw.writeHead(200, eventStreamHeaders)
    raw.write('retry: 1000\n')
    // An id without data is no event, but a client that loses the connection before its first event comes back with it.
    if (cursor !== null) raw.write(`id: ${cursor}\n\n`)
  }

  /** Calls once, whoever ends it; at once when it has ended. */
  whenEnded(run: () => void): void {
    if (this.#ended) run()
    else this.#whenEnded.push(run)
  }

  /** `id` is what the client sends back as `Last-Event-ID`. A promise asks to wait before the next. */
  send(data: string, id: number): Promise<void> | undefined {
    if (this.#ended) return undefined
    return this.#raw.write(`id: ${id}\ndata: ${data}\n\n`) ? undefined : this.#drained()
  }

  /** What is not in the journal leaves the client's cursor where it is. */
  tell(data: string): void {
    if (!this.#ended) this.#raw.write(`data: ${data}\n\n`)
  }

  /** The same for what is worth only the moment: not written while the client is behind. */
  mention(data: string): void {
    if (!this.#raw.writableNeedDrain) this.tell(data)
  }

  /** Nothing more; what is written already still arrives. */
  end(graceMs = stallMs): void {
    if (this.#ended) return
    this.#finish()
    this.#raw.end()
    this.#cutAfter(graceMs)
  }

  drain(): void {
    if (this.#ended) return
    this.#raw.write(`retry: ${comeBackAfterMs()}\n\n`)
    this.end(drainGraceMs)
  }

  #finish(): void {
    if (this.#ended) return
    this.#ended = true
    for (const run of this.#whenEnded.splice(0)) run()
  }

  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const keep = this.#cutAfter(stallMs)
    this.#raw.once('drain', resolve).once('close', resolve)
    await promise
    this.#raw.off('drain', resolve).off('close', resolve)
    keep()
  }

  /** Returns how to let it live. */
  #cutAfter(ms: number): () => void {
    const cancel = this.#clock.after(ms, () => this.#raw.destroy())
    this.#raw.once('close', cancel)
    return () => {
      this.#raw.off('close', cancel)
      cancel()
    }
  }

  beat(): void {
    // To a client that is behind, what waits for it is sign of life enough.
    // Without an empty line: that ends an event, and some clients give one without data for it.
    if (!this.#ended && !this.#raw.writableNeedDrain) this.#raw.write(': beat\n')
  }
}
