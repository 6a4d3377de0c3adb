/** A reader of Server-Sent Events over a socket of its own, by the specification and no cleverer. */
import { type IncomingMessage, request } from 'node:http'
import { saw } from './described-streams.ts'
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
  #id: string | undefined
  #data: string[] = []
  #rest = ''

  constructor(response: IncomingMessage) {
    this.response = response
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    response.setEncoding('utf8')
    response.on('data', (text: string) => this.#read(text))
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

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (line === '') this.#dispatch()
    else if (field === '') this.comments += 1
    else if (field === 'data') this.#data.push(value)
    else if (field === 'id') this.#id = value
    else if (field === 'retry') this.retryMs = Number(value)
    else throw new Error(`an event stream has no field ${field}`)
  }

  #dispatch(): void {
    if (this.#id !== undefined) this.lastId = this.#id
    if (this.#data.length === 0) this.hollow += 1
    else {
      const data = this.#data.join('\n')
      saw(data)
      this.events.push({ lastId: this.lastId, id: this.#id, data: JSON.parse(data) })
    }
    this.#data = []
    this.#id = undefined
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
