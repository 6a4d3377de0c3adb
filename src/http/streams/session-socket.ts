import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { GatewayError } from '../../errors.ts'
import type { JournalEvent } from '../../sessions/events.ts'
import type { Messages } from '../../sessions/messages.ts'
import { checkOpen, type Session } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { newTrace, type Trace } from '../../trace.ts'
import type { Tracer } from '../../tracing.ts'
import type { Idempotency } from '../idempotency.ts'
import { problemOf } from '../problem-reply.ts'
import { invalidRequest, parseOrRefuse } from '../validation.ts'
import type { StreamReader } from './access.ts'
import { Allowance } from './allowance.ts'
import { ClientFrame, type CloseReason, closeCodes, frameId } from './client-frames.ts'
import { type Connection, type Connections, comeBackAfterMs, drainGraceMs } from './connections.ts'
import { frameOf } from './event-text.ts'
import { failureOf } from './failure.ts'
import { type FollowDeps, followSession, type Line } from './follow-session.ts'
import { PacedSocket } from './paced-socket.ts'
import type { StreamTokens } from './stream-tokens.ts'

export interface SessionSocketDeps extends FollowDeps {
  sessions: Sessions
  messages: Messages
  tokens: StreamTokens
  /** It leaves them when it ends. */
  connections: Connections
  tracer?: Tracer | undefined
  idempotency: Idempotency
}

export interface Opened {
  session: Session
  reader: StreamReader
  /** Sequence of the last event the client saw. */
  after: number
  requestId: string
  /** What the client's own handshake is part of; without one, each of its messages begins a trace. */
  trace: Trace | undefined
}

const nothing = Promise.resolve()
const windowMs = 10_000
const maxMessages = 30
/** Of whatever kind, pings included: each may cost an answer, and answers wait in memory for the client. */
const maxFrames = 300

/** One client's WebSocket on one session: events out, messages in. Ends itself when it must; nothing to wait for. */
export class SessionSocket implements Connection, Line {
  readonly #socket: PacedSocket
  readonly #deps: SessionSocketDeps
  readonly #sessionId: string
  readonly #requestId: string
  readonly #trace: Trace | undefined
  #stopFollowing: (() => void) | undefined
  #cancelDrain: (() => void) | undefined
  readonly #frames: Allowance
  readonly #messages: Allowance
  #reader: StreamReader
  /** What frames ask for is done in their order: a renewed token counts for what comes after it. */
  #work: Promise<void> = nothing
  #cancelExpiry: (() => void) | undefined

  constructor(
    ws: WebSocket,
    connection: Duplex,
    deps: SessionSocketDeps,
    { session, reader, after, requestId, trace }: Opened,
  ) {
    const { clock } = deps
    this.#deps = deps
    this.#sessionId = session.id
    this.#reader = reader
    this.#requestId = requestId
    this.#trace = trace
    this.#socket = new PacedSocket(ws, connection)
    this.#frames = new Allowance(clock, maxFrames, windowMs)
    this.#messages = new Allowance(clock, maxMessages, windowMs)

    ws.on('message', (data, binary) => this.#received(data, binary))
    ws.on('ping', () => this.#admit(this.#frames))
    ws.on('close', () => this.#closed())
    this.#stopFollowing = followSession(deps, session, after, this)
    this.#expireWithToken()
  }

  drain(): void {
    this.#close('draining', `retry-after-ms=${comeBackAfterMs()}`)
    this.#cancelDrain = this.#deps.clock.after(drainGraceMs, () => this.#socket.terminate())
  }

  beat(): void {
    this.#socket.beat()
  }

  send(event: JournalEvent): Promise<void> | undefined {
    return this.#socket.send(frameOf(event))
  }

  tell(text: string): void {
    void this.#socket.send(text)
  }

  mention(text: string): void {
    this.#socket.mention(text)
  }

  over(): void {
    this.#close('sessionOver', 'the session is over')
  }

  cut(reason: 'too-slow' | 'trouble'): void {
    if (reason === 'too-slow') {
      this.#close('tooSlow', 'too slow; come back with the last sequence seen')
    } else this.#close('trouble', 'trouble; come back with the last sequence seen')
  }

  #close(reason: CloseReason, text: string): void {
    this.#socket.close(closeCodes[reason], text)
    this.#release()
  }

  #closed(): void {
    this.#socket.finish()
    this.#release()
    this.#deps.connections.remove(this)
  }

  #release(): void {
    this.#cancelExpiry?.()
    this.#stopFollowing?.()
    this.#cancelDrain?.()
  }

  #received(data: RawData, binary: boolean): void {
    if (this.#socket.closing || !this.#admit(this.#frames)) return
    let value: unknown
    try {
      value = parse(binary ? undefined : data.toString())
      const frame = parseOrRefuse(ClientFrame, value)
      if (frame.type === 'message' && !this.#admit(this.#messages)) return
      this.#work = this.#work.then(() => this.#obey(frame))
    } catch (error) {
      this.#refuse(frameId(value), error)
    }
  }

  #admit(allowance: Allowance): boolean {
    const admitted = allowance.take()
    if (!admitted) {
      const limits = `${maxMessages} messages or ${maxFrames} frames`
      this.#close('tooManyMessages', `over ${limits} in ${windowMs / 1000} s`)
    }
    return admitted
  }

  async #obey(frame: ClientFrame): Promise<void> {
    if (this.#socket.closing) return
    try {
      if (frame.type === 'message') await this.#message(frame)
      else if (frame.type === 'typing') await this.#typing()
      else await this.#renew(frame.token)
    } catch (error) {
      this.#refuse(frame.type === 'message' ? frame.id : null, error)
    }
  }

  #refuse(id: string | null, error: unknown): void {
    const failure = failureOf(error, this.#deps.logger)
    const problem = problemOf(failure, `/v1/sessions/${this.#sessionId}/ws`, this.#requestId)
    void this.#socket.send(JSON.stringify({ type: 'error', id, problem }))
  }

  async #message({ id, text }: ClientFrame & { type: 'message' }): Promise<void> {
    this.#mayWrite()
    const { idempotency, messages, tracer } = this.#deps
    using attempt = await idempotency.beginFrame(this.#sessionId, id, text)
    if (attempt.first) {
      void this.#socket.send(attempt.first.body)
      return
    }
    const ackOf = (messageId: string) => JSON.stringify({ type: 'ack', id, messageId })
    const span = tracer?.start('receive frame', {
      kind: 'server',
      parent: this.#trace ?? null,
      attributes: {
        'network.protocol.name': 'websocket',
        'gateway.session.id': this.#sessionId,
      },
    })
    const trace = span?.trace ?? this.#trace ?? newTrace()
    const injected = messages.inject(
      this.#sessionId,
      {
        author: 'user',
        text,
        contentType: 'text/plain',
        attachments: [],
        readReceipt: true,
        oversize: 'reject',
        conversationId: null,
      },
      { name: this.#reader.name, trace, requestId: this.#requestId },
      { kind: 'async' },
      (accepted) => {
        const ack = { status: 202, location: null, body: ackOf(accepted.id) }
        return attempt.record(this.#sessionId, accepted.id, ack)
      },
    )
    const { message } = await injected.finally(() => span?.end())
    void this.#socket.send(ackOf(message.id))
  }

  async #typing(): Promise<void> {
    this.#mayWrite()
    await this.#deps.sessions.typing(this.#sessionId, this.#trace)
  }

  async #renew(token: string): Promise<void> {
    const { grant } = this.#reader
    if (!grant) {
      throw new GatewayError('invalid-request', 'This connection has no stream token to renew')
    }
    const session = await this.#deps.sessions.get(this.#sessionId)
    checkOpen(session)
    const renewed = await this.#deps.tokens.check(token, this.#sessionId)
    if (renewed.origin !== grant.origin) {
      throw new GatewayError('origin-not-allowed', 'The new stream token is for another origin')
    }
    this.#reader = { ...this.#reader, grant: renewed }
    this.#expireWithToken()
  }

  #mayWrite(): void {
    if (this.#reader.grant?.canSend !== false) return
    throw new GatewayError('forbidden', 'This stream token may only read')
  }

  #expireWithToken(): void {
    this.#cancelExpiry?.()
    const { grant } = this.#reader
    if (!grant || this.#socket.closing) return
    const left = grant.expiresAt - this.#deps.clock.now()
    this.#cancelExpiry = this.#deps.clock.after(left, () =>
      this.#close('token', 'the stream token has expired'),
    )
  }
}

function parse(text: string | undefined): unknown {
  try {
    if (text !== undefined) return JSON.parse(text)
  } catch {
    // Falls through to the answer for frames that are no JSON.
  }
  throw invalidRequest([{ pointer: '', detail: 'is not JSON text' }])
}
