/** Clients that always come back with the last sequence they saw, however often they are cut off. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { openSocket } from './session-socket.ts'
import { openSse } from './sse.ts'

export interface SeenEvent {
  sequence: number
  id: string
}

interface Connection {
  /** So far. */
  seen(): SeenEvent[]
  gone: Promise<unknown>
  end(): void
}

type Connect = (after: number) => Promise<Connection>

export class TirelessReader {
  /** Connections that were opened. */
  connections = 0
  readonly #connect: Connect
  readonly #before: SeenEvent[] = []
  #current: Connection | undefined
  #stopped = false
  readonly #done: Promise<void>

  constructor(connect: Connect) {
    this.#connect = connect
    this.#done = this.#read()
  }

  /** Ends when the test does, if not before. */
  endWith(t: { after(end: () => Promise<void>): void }): this {
    t.after(() => this.stop())
    return this
  }

  /** Everything, over all connections, in the order it came. */
  get seen(): SeenEvent[] {
    return [...this.#before, ...(this.#current?.seen() ?? [])]
  }

  get last(): number {
    return (this.#current?.seen().at(-1) ?? this.#before.at(-1))?.sequence ?? 0
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#current?.end()
    await this.#done
  }

  async #read(): Promise<void> {
    while (!this.#stopped) {
      // Refused or cut before it was open: a reason to come back, no more.
      const connection = await this.#connect(this.last).catch(() => undefined)
      await nextTurn()
      if (!connection) continue
      this.connections += 1
      this.#current = connection
      if (this.#stopped) connection.end()
      await connection.gone
      this.#current = undefined
      this.#before.push(...connection.seen())
    }
  }
}

/** Alternates between the header and the parameter; `url` is that of the session, `options` say who reads. */
export function tirelessSse(url: string, options: { bearer?: string } = {}): TirelessReader {
  let odd = false
  return new TirelessReader(async (after) => {
    odd = !odd
    const reader = odd
      ? await openSse(`${url}/events?after=0`, {
          ...options,
          headers: { 'last-event-id': String(after) },
        })
      : await openSse(`${url}/events?after=${after}`, options)
    return {
      seen: () => reader.events.map(({ data: { sequence, id } }) => ({ sequence, id })),
      gone: reader.ended,
      end: () => reader.close(),
    }
  })
}

export function tirelessSocket(url: string, options: { bearer?: string } = {}): TirelessReader {
  return new TirelessReader(async (after) => {
    const reader = await openSocket(`${url}/ws?after=${after}`, options)
    return {
      seen: () => reader.events.map(({ sequence, id }) => ({ sequence, id })),
      gone: reader.closed,
      end: () => reader.ws.terminate(),
    }
  })
}
