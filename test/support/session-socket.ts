/** A client of a session's WebSocket that remembers all it sees. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { type Answer, adminKey } from './gateway.ts'
import { until } from './until.ts'
import { markNonsense } from './wire/nonsense.ts'

export interface SocketOptions {
  /** Bearer key; null for none. Default: the admin's. */
  bearer?: string | null
  headers?: Record<string, string>
  origin?: string
  /** Default: true, as every client does. */
  autoPong?: boolean
}

export class SocketReader {
  readonly ws: WebSocket
  // biome-ignore lint/suspicious/noExplicitAny: JSON of many shapes
  readonly frames: any[] = []
  pings = 0
  readonly closed: Promise<{ code: number; reason: string }>

  constructor(ws: WebSocket) {
    this.ws = ws
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    ws.on('message', (data) => {
      this.frames.push(JSON.parse(data.toString()))
    })
    ws.on('ping', () => {
      this.pings += 1
    })
    ws.on('error', () => undefined)
  }

  /** Events of the journal so far. */
  get events() {
    return this.frames.filter(({ sequence }) => sequence !== undefined)
  }

  get sequences(): number[] {
    return this.events.map(({ sequence }) => sequence)
  }

  say(frame: object): void {
    this.ws.send(JSON.stringify(frame))
  }

  /** Says what no client that keeps to the description would; a Buffer goes as a binary frame unless told otherwise. */
  sayNonsense(nonsense: string | Buffer, options: { binary?: boolean } = {}): void {
    markNonsense(nonsense)
    this.ws.send(nonsense, options)
  }

  /** The first frame, from the start on, that is of this type, once there is one. */
  frame(type: string, fields: object = {}) {
    return until(`a ${type} frame among ${this.frames.map((frame) => frame.type)}`, () =>
      this.frames.find(
        (frame) =>
          frame.type === type &&
          Object.entries(fields).every(([name, value]) => frame[name] === value),
      ),
    )
  }

  async first(count: number) {
    await until(`${count} events`, () => this.events.length >= count)
    return this.events.slice(0, count)
  }

  /** Ends when the test does. */
  endWith(t: { after(end: () => void): void }): this {
    t.after(() => this.ws.terminate())
    return this
  }
}

/** Resolves when it is open; rejects when it is refused. */
export async function openSocket(url: string, options?: SocketOptions): Promise<SocketReader> {
  const ws = dial(url, options)
  // Made before it opens, so that no frame is missed.
  const reader = new SocketReader(ws)
  await once(ws, 'open')
  return reader
}

/** The answer to an upgrade that is refused; fails when it is not. */
export async function refusedUpgrade(url: string, options?: SocketOptions): Promise<Answer> {
  const ws = dial(url, options)
  ws.on('open', () => ws.emit('error', new Error('the upgrade was accepted')))
  const [, response] = (await once(ws, 'unexpected-response')) as [unknown, IncomingMessage]
  const chunks = await response.toArray()
  return {
    status: response.statusCode ?? 0,
    headers: new Headers(response.headers as Record<string, string>),
    body: JSON.parse(Buffer.concat(chunks).toString()),
  }
}

function dial(
  url: string,
  { bearer = adminKey, headers, ...options }: SocketOptions = {},
): WebSocket {
  const authorization = bearer === null ? {} : { authorization: `Bearer ${bearer}` }
  return new WebSocket(url.replace(/^http/, 'ws'), {
    ...options,
    perMessageDeflate: false,
    headers: { ...authorization, ...headers },
  })
}
