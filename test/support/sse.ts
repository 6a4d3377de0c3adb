/** A reader of Server-Sent Events over a socket of its own. */
import { type IncomingMessage, request } from 'node:http'
import { eventStreamReader } from './event-stream.ts'
import { adminKey } from './gateway.ts'
import { until } from './until.ts'

export interface SseOptions {
  headers?: Record<string, string>
  /** Bearer key; null for none. Default: the admin's. */
  bearer?: string | null
}

export interface ReceivedEvent {
  /** The last event id by then, as the specification has it. */
  lastId: string
  /** The id this event itself brought. */
  id: string | undefined
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  data: any
}

export class SseReader {
  readonly response: IncomingMessage
  readonly events: ReceivedEvent[] = []
  /** Comments so far. */
  comments = 0
  /** Ends of events that were none, because they had no data. Some clients take those for events all the same. */
  hollow = 0
  /** What the server last asked to wait before coming back, milliseconds. */
  retryMs: number | undefined
  lastId = ''
  readonly ended: Promise<void>

  constructor(response: IncomingMessage) {
    this.response = response
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    response.setEncoding('utf8')
    const read = eventStreamReader({
      block: (data, id) => this.#block(data, id),
      comment: () => {
        this.comments += 1
      },
      retry: (ms) => {
        this.retryMs = ms
      },
      unknown: (line) => {
        throw new Error(`not a line of an event stream: ${line}`)
      },
    })
    response.on('data', read)
    // A connection that breaks is what many tests are about; it has ended all the same.
    response.on('error', () => undefined)
    response.on('close', resolve)
  }

  get status(): number {
    return this.response.statusCode ?? 0
  }

  /** Sequences of the events so far that have one. */
  get sequences(): number[] {
    return this.events.flatMap(({ data }) => (data.sequence === undefined ? [] : [data.sequence]))
  }

  get types(): string[] {
    return this.events.map(({ data }) => data.type)
  }

  /** Resolves with so many events, or all there are by the time there are more. */
  async first(count: number): Promise<ReceivedEvent[]> {
    await until(`${count} events (${this.types})`, () => this.events.length >= count)
    return this.events.slice(0, count)
  }

  close(): void {
    this.response.destroy()
  }

  #block(data: string | undefined, id: string | undefined): void {
    if (id !== undefined) this.lastId = id
    if (data === undefined) this.hollow += 1
    else this.events.push({ lastId: this.lastId, id, data: JSON.parse(data) })
  }
}

/** Resolves once the answer's head is there, whatever it says. */
export async function openSse(url: string, options: SseOptions = {}): Promise<SseReader> {
  return new SseReader(await openStream(url, options))
}

/** The same without a reader: for clients that do not read. */
export function openStream(
  url: string,
  { headers = {}, bearer = adminKey }: SseOptions = {},
): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const authorization = bearer === null ? {} : { authorization: `Bearer ${bearer}` }
  request(url, { agent: false, headers: { ...authorization, ...headers } })
    .on('response', resolve)
    .on('error', reject)
    .end()
  return promise
}
