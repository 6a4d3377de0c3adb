/**
 * The edge every stream passes: one WebSocket to the platform, its first frames, its heartbeat and its end. What the
 * frames mean is the dialect's affair, what an end means the bridge's.
 */
import { WebSocket } from 'ws'
import type { Clock } from '../clock.ts'
import { redact } from '../redact.ts'
import { childOf, type Trace, traceHeaders } from '../trace.ts'
import { type Span, serverOf, type Tracer } from '../tracing.ts'
import type { StreamOpening } from './dialect.ts'
import { retryAfterMs } from './retry.ts'

/** How a connection ended, or why there was none. */
export type StreamEnd =
  | { by: 'us' }
  | { by: 'platform'; code: number; reason: string }
  /** The upgrade was answered with this status, and perhaps with when to come back. */
  | { by: 'refusal'; status: number; retryAfterMs: number | null }
  /** Broken, unreachable, or silent for too long. */
  | { by: 'network'; detail: string }

export interface StreamHandlers {
  /** The upgrade succeeded and the first frames, those of `opening`, are on their way. */
  opened(opening: StreamOpening): void
  /** One text frame. */
  frame(text: string): void
  /** Once, also when it never opened. */
  ended(end: StreamEnd): void
}

/** Whose stream it is, and the trace its making belongs to. */
export interface DialFor {
  sessionId: string
  trace: Trace | null
}

const beatMs = 4000
/** An upgrade that is not answered within so many beats will not be. */
const dialBeats = 2
const maxFrameBytes = 1024 * 1024

/** Dials for all bridges and keeps one heartbeat for all their sockets: a dead link shows within two beats. */
export class Dialer implements Disposable {
  readonly #sockets = new Set<StreamSocket>()
  readonly #clock: Clock
  readonly #tracer: Tracer | undefined
  #stopped = false
  #cancel: () => void = () => undefined

  constructor(clock: Clock, tracer?: Tracer) {
    this.#clock = clock
    this.#tracer = tracer
    this.#beat()
  }

  /** The process stops: nothing is to be dialled any more. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** Sockets that are open or being opened. */
  get size(): number {
    return this.#sockets.size
  }

  /** Throws when the address cannot be dialled at all. */
  dial(opening: StreamOpening, about: DialFor, handlers: StreamHandlers): StreamSocket {
    const span = this.#tracer && startDialSpan(this.#tracer, opening, about)
    const trace = span?.trace ?? (about.trace && childOf(about.trace))
    return new StreamSocket(opening, { trace, span, handlers, open: this.#sockets })
  }

  [Symbol.dispose](): void {
    this.#stopped = true
    this.#cancel()
    for (const socket of [...this.#sockets]) socket.close()
  }

  #beat(): void {
    this.#cancel = this.#clock.after(beatMs, () => {
      for (const socket of [...this.#sockets]) socket.beat()
      this.#beat()
    })
  }
}

interface Dialled {
  trace: Trace | null
  /** Of the dial. */
  span: Span | undefined
  handlers: StreamHandlers
  /** It is among these until it ends. */
  open: Set<StreamSocket>
}

export class StreamSocket {
  readonly #ws: WebSocket
  readonly #handlers: StreamHandlers
  readonly #open: Set<StreamSocket>
  #span: Span | undefined
  #alive = true
  #beats = 0
  #ended = false

  constructor(opening: StreamOpening, { trace, span, handlers, open }: Dialled) {
    this.#handlers = handlers
    this.#open = open
    this.#span = span
    this.#ws = webSocket(opening.url, opening.origin, trace)
    this.#ws
      .on('error', (error) => this.#end({ by: 'network', detail: redact(error.message) }))
      .on('close', (code, reason) => {
        this.#end({ by: 'platform', code, reason: reason.toString() })
      })
    this.#awaitUpgrade(opening)
    open.add(this)
  }

  /** False when the platform is closing it already: then nothing more leaves, and the end is told at once. */
  canSend(): boolean {
    if (this.#ws.readyState === WebSocket.OPEN) return true
    this.#end({ by: 'network', detail: 'the connection is being closed' })
    return false
  }

  /** Resolves when the bytes are with the operating system; rejects when they cannot be. */
  send(frame: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#ws.send(frame, (error) => (error ? reject(error) : resolve()))
    return promise
  }

  /** Stops reading until `resume`, so that the platform waits instead of our memory growing. */
  pause(): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.pause()
  }

  resume(): void {
    // Whatever came meanwhile has yet to be read.
    this.#alive = true
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.resume()
  }

  close(): void {
    this.#end({ by: 'us' })
    this.#ws.close(1000)
  }

  /** Ends a socket that showed no life since the last beat, or whose upgrade nobody answers. */
  beat(): void {
    if (this.#ws.readyState === WebSocket.CONNECTING) {
      this.#beats += 1
      if (this.#beats > dialBeats) {
        this.#end({ by: 'network', detail: 'the upgrade was not answered' })
      }
    }
    if (this.#ws.readyState !== WebSocket.OPEN) return
    if (!this.#alive && !this.#ws.isPaused) {
      this.#end({ by: 'network', detail: 'the link is dead: nothing came back' })
      return
    }
    this.#alive = false
    this.#ws.ping()
  }

  /** Apart, so that nothing of it is kept for as long as the connection lives. */
  #awaitUpgrade(opening: StreamOpening): void {
    this.#ws
      .on('open', () => {
        this.#ws.removeAllListeners('open').removeAllListeners('unexpected-response')
        for (const frame of opening.frames) this.#ws.send(JSON.stringify(frame))
        this.#span?.end()
        this.#span = undefined
        this.#handlers.opened(opening)
        this.#listen()
      })
      .on('unexpected-response', (_request, response) => {
        response.resume()
        const { statusCode: status = 0, headers } = response
        const waitMs = retryAfterMs({ status, headers }, Date.now()) ?? null
        this.#end({ by: 'refusal', status, retryAfterMs: waitMs })
      })
  }

  /** Frames that came with the answer to the upgrade are still to be read. */
  #listen(): void {
    this.#ws
      .on('message', (data, binary) => {
        this.#alive = true
        // A late ack on a connection that was given up must not pass for one of the next.
        if (!binary && !this.#ended) this.#handlers.frame(data.toString())
      })
      .on('pong', () => {
        this.#alive = true
      })
  }

  #end(end: StreamEnd): void {
    if (this.#ended) return
    this.#ended = true
    this.#open.delete(this)
    this.#span?.end(failureOf(end))
    this.#handlers.ended(end)
    if (end.by !== 'us' && this.#ws.readyState !== WebSocket.CLOSED) this.#ws.terminate()
  }
}

function webSocket(url: string, origin: string | null, trace: Trace | null): WebSocket {
  try {
    return new WebSocket(url, {
      ...(origin && { origin }),
      ...(trace && { headers: traceHeaders(trace) }),
      maxPayload: maxFrameBytes,
      // A deflate context costs half a megabyte a socket.
      perMessageDeflate: false,
    })
  } catch (error) {
    // It may repeat the address, and with it the token.
    throw new Error(redact(String(error)))
  }
}

/** From the dial to the open socket, or to why there is none. The path stays out: it may be the guest's key. */
function startDialSpan(
  tracer: Tracer,
  { url }: StreamOpening,
  { sessionId, trace }: DialFor,
): Span {
  return tracer.start('dial stream', {
    kind: 'client',
    parent: trace,
    attributes: {
      ...serverOf(url),
      'network.protocol.name': 'websocket',
      'gateway.session.id': sessionId,
    },
  })
}

function failureOf(end: StreamEnd): string {
  return end.by === 'refusal' ? String(end.status) : end.by
}
