import type { ServerResponse } from 'node:http'
import type { Clock } from '../../clock.ts'

const beatMs = 5000

/** One Server-Sent Events answer: writes, waits for a slow client, beats, and ends once. */
export class SseConnection {
  readonly #raw: ServerResponse
  readonly #clock: Clock
  readonly #onEnd: () => void
  #cancelBeat: () => void = () => undefined
  #ended = false

  /** `onEnd` is told once, whoever ends it. Headers already set on the response stay. */
  constructor(raw: ServerResponse, clock: Clock, onEnd: () => void) {
    this.#raw = raw
    this.#clock = clock
    this.#onEnd = onEnd
    raw.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      // nginx would otherwise collect events instead of passing them on.
      'x-accel-buffering': 'no',
    })
    raw.write('retry: 1000\n\n')
    raw.once('close', () => this.end())
    this.#beat()
  }

  /** `id` is what the client sends back as `Last-Event-ID`; without one its cursor stays. */
  send(data: string, id?: string): Promise<void> | undefined {
    if (this.#ended) return undefined
    const head = id === undefined ? '' : `id: ${id}\n`
    return this.#raw.write(`${head}data: ${data}\n\n`) ? undefined : this.#drained()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelBeat()
    this.#raw.end()
    this.#onEnd()
  }

  #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = () => {
      this.#raw.off('drain', done)
      this.#raw.off('close', done)
      resolve()
    }
    this.#raw.once('drain', done)
    this.#raw.once('close', done)
    return promise
  }

  #beat(): void {
    this.#cancelBeat = this.#clock.after(beatMs, () => {
      this.#raw.write(': beat\n\n')
      this.#beat()
    })
  }
}
