import type { Clock } from '../clock.ts'
import { passes, UpstreamError } from '../errors.ts'
import type { InboundMessage, OutboundText, StreamDialect, StreamNews } from '../genesys/dialect.ts'
import type { StreamSocket } from '../genesys/socket.ts'
import type { Json } from '../json.ts'
import type { Span, Tracer } from '../tracing.ts'
import type { Flight, Landed } from './carrier.ts'
import { didNotLeave, outcomeOf, pauseMs, sessionEnded } from './frame-outcomes.ts'
import { type FrameKind, FramePaces } from './frame-paces.ts'
import { type FrameOf, failureOf, startFrameSpan } from './frame-span.ts'
import { type Departure, Pace } from './pace.ts'
import type { Session } from './session.ts'
import { type FrameFate, Unacked } from './unacked.ts'
import { type FileCarrier, type UploadNews, Uploads } from './uploads.ts'

export interface FrameSenderDeps {
  clock: Clock
  tracer?: Tracer | undefined
  ackTimeoutMs: number
  frameIntervalMs: number
  files: FileCarrier
  maxAttachmentBytes: number
}

/** The longest that typing is kept back until there is room for it; later it would say nothing. */
const typingPatienceMs = 1000
/** The longest that any other frame without an ack waits for its turn. */
const turnPatienceMs = 5000

/** Of a message whose refusals are not for its pace's sake. */
const mostAttempts = 4

const neverAborted = new AbortController().signal
const nobody = Promise.resolve()

/** A frame with a message, to leave. */
interface Laden {
  bytes: string
  /** By what its ack is known. */
  sent: { key: string | null; text: string }
  about: FrameOf
}

/** A frame with a message, on its way. */
interface Departed {
  fate: Promise<FrameFate>
  departure: Departure
  span: Span | undefined
  /** performance.now() */
  leftAt: number
}

/**
 * The outbound half of a bridge: messages leave as frames at the platform's pace, and their acks say what became of
 * them. Outlives connections: a message waits here while there is none.
 */
export class FrameSender {
  readonly #stream: StreamDialect
  readonly #deps: FrameSenderDeps
  readonly #onDoubt: () => void
  readonly #unacked = new Unacked()
  /** Made with the first file. */
  #uploads: Uploads | undefined
  readonly #pace: FramePaces
  /** Made when the guest types first. */
  #typing: Pace | undefined
  #socket: StreamSocket | undefined
  #closed = false
  #doubtful: string | null = null
  /** Frames leave one after the other, so that each sees the pace of the one before. */
  #line: Promise<unknown> = nobody
  /** Somebody waits for a connection. */
  #whenOpen: PromiseWithResolvers<void> | undefined

  /** `onDoubt`: acks of this connection can no longer be told apart; it is to be replaced. */
  constructor(stream: StreamDialect, deps: FrameSenderDeps, onDoubt: () => void) {
    this.#stream = stream
    this.#deps = deps
    this.#onDoubt = onDoubt
    this.#pace = new FramePaces(deps.clock, stream.limits, deps.frameIntervalMs)
  }

  /** A connection was made and has said so many frames; they count as all others do. */
  dialled(frames: number): void {
    this.#pace.connected(frames)
  }

  /** There is a connection and the guest may speak on it. */
  open(socket: StreamSocket): void {
    this.#socket = socket
    this.#wake()
  }

  /** The connection is gone: what had left on it may have arrived. */
  lose(): void {
    this.#socket = undefined
    this.#doubtful = null
    this.#unacked.lose()
    this.#uploads?.lose()
  }

  /** There will be no connection any more. */
  close(): void {
    this.#closed = true
    this.lose()
    this.#wake()
  }

  #wake(): void {
    this.#whenOpen?.resolve()
    this.#whenOpen = undefined
  }

  /** The platform says something about a file on its way. */
  uploaded(news: UploadNews): void {
    this.#uploads?.settle(news)
  }

  /** Id of the message that an ack which names nothing must be for when none waits for one. */
  get doubtful(): string | null {
    return this.#doubtful
  }

  /** Resolves when no message waits for its ack, after `ms` at the latest. */
  async quiet(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#deps.clock.after(ms, resolve)
    await Promise.race([promise, this.#unacked.empty()])
    cancel()
  }

  /** What the guest said is a message that waits for its ack, given back without a name: true, and then it has it. */
  claim({ mayBeOurs, text, upstreamId }: InboundMessage): boolean {
    const key = mayBeOurs && text !== '' ? this.#unacked.keyOf(text) : null
    return key !== null && this.#unacked.settle({ kind: 'ack', key, upstreamId })
  }

  /** True when a message was waiting for it. */
  settle(news: Extract<StreamNews, { kind: 'ack' | 'nack' }>): boolean {
    return this.#unacked.settle(news)
  }

  /** Sends one text and waits for its ack. Throws UpstreamError. */
  async carry(session: Session, text: OutboundText, flight: Flight): Promise<Landed> {
    if (text.attachments.length === 0) return this.#carry(session, text, flight)
    await this.#turn(flight, 1)
    this.#uploads ??= new Uploads(this.#stream.upload, this.#deps, (frame) => this.tell(frame))
    const uploads = await this.#uploads.send(session, text)
    try {
      return await this.#carry(session, { ...text, uploads }, flight)
    } catch (error) {
      // What was refused carries no file; what may have arrived may carry it.
      const isRefused = error instanceof UpstreamError && error.fate === 'refused'
      if (isRefused) await this.#uploads?.discard(session, uploads)
      throw error
    }
  }

  async #carry(session: Session, text: OutboundText, flight: Flight): Promise<Landed> {
    const { clock, ackTimeoutMs } = this.#deps
    const { frame, ackKey } = this.#stream.message(session, text)
    const bytes = JSON.stringify(frame)
    const sent = { key: ackKey, text: text.text }
    for (let attempts = 1; ; attempts++) {
      const { fate, departure, span, leftAt } = await this.#inTurn(() =>
        this.#leave({ bytes, sent, about: { sessionId: session.id, text } }, flight, attempts),
      )
      const answer = await fate
      span?.end(failureOf(answer))
      // Whatever it says of the message, the platform has the frame by now.
      departure.seen(clock.now())
      if (this.#mayGoAgain(answer, flight, attempts)) {
        await flight.returned()
        continue
      }
      if (answer.kind === 'timeout' && ackKey === null) this.#distrust(text)
      const latencyMs = performance.now() - leftAt
      return { outcome: outcomeOf(answer, attempts, ackTimeoutMs), latencyMs }
    }
  }

  /** Shows that the guest types, no more often than that says anything. Throws `upstream-unavailable`. */
  async type(frame: Json): Promise<void> {
    const now = this.#deps.clock.now()
    if (!this.#socket) throw didNotLeave('the stream is not open now', 0)
    this.#typing ??= new Pace([], this.#stream.typingEveryMs ?? 0)
    if (this.#typing.waitMs(now) > 0 || this.#pace.waitMs('message') > typingPatienceMs) return
    this.#typing.sent(now)
    await this.tell(frame, 'message')
  }

  /** Sends a frame nobody acknowledges, in its turn. Throws `upstream-unavailable` while there is no connection. */
  tell(frame: Json, kind: FrameKind = 'request'): Promise<void> {
    return this.#inTurn(async () => {
      const { clock } = this.#deps
      if (!this.#socket) throw didNotLeave('the stream is not open now', 0)
      await this.#turn({ deadline: clock.now() + turnPatienceMs, signal: neverAborted }, 0, kind)
      if (!this.#socket.canSend()) throw didNotLeave('the stream is being closed', 0)
      this.#pace.sent(kind)
      await this.#socket.send(JSON.stringify(frame))
    })
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#line.then(run)
    this.#line = turn.catch(() => undefined)
    return turn
  }

  async #leave({ bytes, sent, about }: Laden, flight: Flight, attempts: number): Promise<Departed> {
    const { clock, ackTimeoutMs, tracer } = this.#deps
    for (;;) {
      await this.#turn(flight, attempts)
      await flight.leaving()
      const socket = this.#socket
      if (socket?.canSend()) {
        const leftAt = performance.now()
        const departure = this.#pace.sent('message')
        const span = tracer && startFrameSpan(tracer, about, attempts)
        this.#doubtful = null
        const fate = this.#unacked.add(sent, ackTimeoutMs, (ms, run) => clock.after(ms, run))
        socket.send(bytes).catch(() => this.#unacked.lose())
        return { fate, departure, span, leftAt }
      }
      // It broke while the attempt was being written down; nothing has left.
      await flight.returned()
    }
  }

  /** Waits until a frame may leave: there is a connection and the pace allows it. */
  async #turn(
    { deadline, signal, queued }: Pick<Flight, 'deadline' | 'signal' | 'queued'>,
    attempts: number,
    kind: FrameKind = 'message',
  ): Promise<void> {
    const { clock } = this.#deps
    for (;;) {
      if (this.#closed) throw sessionEnded(attempts)
      if (signal.aborted) throw didNotLeave('the gateway is stopping', attempts)
      const left = deadline - clock.now()
      if (left <= 0) throw didNotLeave('the stream did not open in time', attempts)
      const pause = this.#pace.waitMs(kind)
      if (!this.#socket) {
        this.#whenOpen ??= Promise.withResolvers()
        await this.#wait(left, signal, this.#whenOpen.promise)
      } else if (pause === 0) return
      else await this.#wait(Math.min(pause, left), signal).finally(() => queued?.(pause))
    }
  }

  #wait(ms: number, signal: AbortSignal, early?: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = Number.isFinite(ms) ? this.#deps.clock.after(ms, resolve) : () => undefined
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    void early?.then(resolve)
    return promise.finally(() => {
      cancel()
      signal.removeEventListener('abort', onAbort)
    })
  }

  /** A refusal that passes is waited out where there is time for it. */
  #mayGoAgain(fate: FrameFate, { deadline }: Flight, attempts: number): boolean {
    if (fate.kind !== 'nack' || !passes(fate.code)) return false
    const isPace = fate.code === 'rate-limited'
    const until = this.#deps.clock.now() + (fate.retryAfterMs ?? pauseMs(isPace ? 0 : attempts))
    this.#pace.pauseUntil(until)
    return until < deadline && (isPace || attempts < mostAttempts)
  }

  /**
   * An ack that names nothing of ours can come so late that it would be taken for the next message's. A new connection
   * makes that impossible; where there can be none, the next message waits as long again.
   */
  #distrust({ id }: OutboundText): void {
    if (this.#stream.resumable) {
      this.#onDoubt()
      return
    }
    this.#doubtful = id
    this.#pace.pauseUntil(this.#deps.clock.now() + this.#deps.ackTimeoutMs)
  }
}
