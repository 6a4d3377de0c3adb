import { WebSocket } from 'ws'
import type { Clock } from '../../clock.ts'
import { GatewayError } from '../../errors.ts'
import type { Feed } from '../../sessions/feed.ts'
import { isOver, type Session } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { Store } from '../../store/store.ts'
import { problemOf } from '../problem-reply.ts'
import { invalidRequest, parseOrRefuse } from '../validation.ts'
import type { StreamReader } from './access.ts'
import { ClientFrame, closeCodes } from './client-frames.ts'
import { quietEnd } from './quiet-end.ts'
import { readJournal } from './reader.ts'
import { ephemeral, isFinal, sessionSource } from './session-source.ts'
import type { StreamTokens } from './stream-tokens.ts'

export interface SessionSocketDeps {
  sessions: Sessions
  store: Store
  feed: Feed
  clock: Clock
  tokens: StreamTokens
}

export interface Opened {
  session: Session
  reader: StreamReader
  /** Sequence of the last event the client saw. */
  after: number
  requestId: string
}

const beatMs = 5000
/** Above so much unsent, the next event waits. */
const maxBufferedBytes = 256 * 1024
const maxMessages = 30
const messageWindowMs = 10_000

/** One client's WebSocket on one session: events out, messages in. Ends itself when it must; nothing to wait for. */
export class SessionSocket {
  readonly #ws: WebSocket
  readonly #deps: SessionSocketDeps
  readonly #session: Session
  readonly #requestId: string
  readonly #cleanUp: (() => void)[] = []
  #reader: StreamReader
  #cancelExpiry: () => void = () => undefined
  #cancelBeat: () => void = () => undefined
  #alive = true
  #window = { endsAt: 0, messages: 0 }

  constructor(
    ws: WebSocket,
    deps: SessionSocketDeps,
    { session, reader, after, requestId }: Opened,
  ) {
    this.#ws = ws
    this.#deps = deps
    this.#session = session
    this.#reader = reader
    this.#requestId = requestId
    const { store, feed, clock } = deps

    const over = quietEnd(clock, () => this.#close('sessionOver', 'the session is over'))
    const stopReading = readJournal(sessionSource(store, feed, session.id), after, {
      event: (text, _sequence, event) => {
        over.saw(isFinal(event.type))
        return this.#send(text)
      },
      reset: (oldest) => {
        void this.#send(ephemeral('stream.reset', session.id, clock.now(), { oldest }))
      },
      cut: () => this.#close('tooSlow', 'too slow; come back with the last sequence seen'),
    })
    over.saw(isOver(session))
    const untype = feed.onTyping(session.id, () => {
      void this.#send(ephemeral('typing', session.id, clock.now(), {}))
    })
    this.#cleanUp.push(stopReading, untype, over.cancel)

    ws.on('pong', () => {
      this.#alive = true
    })
    ws.on('message', (data, binary) => {
      this.#alive = true
      void this.#frame(binary ? undefined : data.toString())
    })
    ws.on('error', () => ws.terminate())
    ws.on('close', () => this.#ended())
    this.#expireWithToken()
    this.#beat()
  }

  /** The process stops: the client should come back, not all at once. */
  end(): void {
    const retryAfterMs = Math.round(500 + Math.random() * 4500)
    this.#close('draining', `retry-after-ms=${retryAfterMs}`)
  }

  #ended(): void {
    this.#cancelBeat()
    this.#cancelExpiry()
    for (const undo of this.#cleanUp.splice(0)) undo()
  }

  #close(code: keyof typeof closeCodes, reason: string): void {
    if (this.#ws.readyState === WebSocket.OPEN) this.#ws.close(closeCodes[code], reason)
    this.#ended()
  }

  #send(text: string): Promise<void> | undefined {
    if (this.#ws.readyState !== WebSocket.OPEN) return undefined
    if (this.#ws.bufferedAmount <= maxBufferedBytes) {
      this.#ws.send(text)
      return undefined
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    // A send that fails ends the socket, and with it the reader.
    this.#ws.send(text, () => resolve())
    return promise
  }

  async #frame(text: string | undefined): Promise<void> {
    let id: string | undefined
    try {
      const frame = parseOrRefuse(ClientFrame, parse(text))
      if (frame.type === 'message') {
        id = frame.id
        await this.#message(frame.id, frame.text)
      } else if (frame.type === 'typing') await this.#typing()
      else await this.#renew(frame.token)
    } catch (error) {
      const failure =
        error instanceof GatewayError ? error : new GatewayError('overloaded', 'The frame failed')
      const problem = problemOf(failure, `/v1/sessions/${this.#session.id}/ws`, this.#requestId)
      void this.#send(JSON.stringify({ type: 'error', id: id ?? null, problem }))
    }
  }

  async #message(id: string, text: string): Promise<void> {
    this.#mayWrite()
    const now = this.#deps.clock.now()
    if (now >= this.#window.endsAt) this.#window = { endsAt: now + messageWindowMs, messages: 0 }
    this.#window.messages += 1
    if (this.#window.messages > maxMessages) {
      this.#close('tooManyMessages', `over ${maxMessages} messages in ${messageWindowMs / 1000} s`)
      return
    }
    const message = await this.#deps.sessions.inject(
      this.#session.id,
      {
        author: 'user',
        text,
        contentType: 'text/plain',
        attachments: [],
        readReceipt: true,
        oversize: 'reject',
        conversationId: null,
      },
      { name: this.#reader.name, traceparent: null, requestId: this.#requestId },
      { kind: 'async' },
    )
    void this.#send(JSON.stringify({ type: 'ack', id, messageId: message.id }))
  }

  async #typing(): Promise<void> {
    this.#mayWrite()
    await this.#deps.sessions.typing(this.#session.id)
  }

  async #renew(token: string): Promise<void> {
    const { grant } = this.#reader
    if (!grant)
      throw new GatewayError('invalid-request', 'This connection has no stream token to renew')
    const renewed = await this.#deps.tokens.check(token, this.#session.id)
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
    this.#cancelExpiry()
    const { grant } = this.#reader
    if (!grant) return
    const left = grant.expiresAt - this.#deps.clock.now()
    this.#cancelExpiry = this.#deps.clock.after(left, () =>
      this.#close('token', 'the stream token has expired'),
    )
  }

  #beat(): void {
    this.#cancelBeat = this.#deps.clock.after(beatMs, () => {
      if (!this.#alive) {
        this.#ws.terminate()
        return
      }
      this.#alive = false
      this.#ws.ping()
      this.#beat()
    })
  }
}

function parse(text: string | undefined): unknown {
  try {
    if (text !== undefined) return JSON.parse(text)
  } catch {
    // Answered below, as any frame that is no JSON.
  }
  throw invalidRequest([{ pointer: '', detail: 'is not JSON text' }])
}
