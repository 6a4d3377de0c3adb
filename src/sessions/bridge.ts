import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type {
  Dialect,
  InboundMessage,
  OutboundText,
  StreamDialect,
  StreamHosts,
  StreamNews,
} from '../genesys/dialect.ts'
import type { Dialer, StreamEnd, StreamSocket } from '../genesys/socket.ts'
import type { Json } from '../json.ts'
import type { Flight, Landed } from './carrier.ts'
import { FrameSender } from './frame-sender.ts'
import type { Evidence } from './late-truth.ts'
import { afterEnd, redialDelayMs } from './redial.ts'
import type { SessionRegistry } from './registry.ts'
import { Reorder } from './reorder.ts'
import { isOver, type Session } from './session.ts'
import { type Cause, ended } from './steps.ts'
import { received, streamLost, streamOpened } from './stream-steps.ts'

export interface BridgeDeps {
  registry: SessionRegistry
  clock: Clock
  dialer: Dialer
  hosts: StreamHosts
  ackTimeoutMs: number
  /** Least distance of two frames. */
  frameIntervalMs: number
  /** Upstream ids of the session's latest messages, so that what comes twice is known. */
  knownIds(sessionId: string): Promise<string[]>
  /** Rotates the guest's token; rejects when it cannot be. */
  refresh(sessionId: string): Promise<void>
  /** What was said while no stream was open; empty where the platform cannot tell. */
  missed(bridge: HistoryAsker, session: Session): Promise<StreamNews[]>
  /** The platform has it after all: true when an `unconfirmed` message of ours was meant. */
  confirm(sessionId: string, evidence: Evidence): Promise<boolean>
  onReceipt(sessionId: string, receipt: Extract<StreamNews, { kind: 'receipt' }>): Promise<void>
  /** The other side is typing. */
  onTyping(sessionId: string): void
  onTrouble(sessionId: string, error: unknown): void
  /** The session is over, or the bridge will not be built again. */
  onEnd(sessionId: string): void
}

/** Asks for the guest's REST token over the stream. */
export interface HistoryAsker {
  /** It is in the journal already. */
  knows(upstreamId: string): boolean
  jwt(frame: Json): Promise<{ jwt: string; expiresAt: number | null }>
}

const maxInbox = 200
const rememberedIds = 1000

/**
 * One session's stream, as long as the session lives: dials, keeps the platform's order, matches acks, redials where
 * the dialect can take the guest up again, and ends the session where it cannot. The connection's end is not the
 * session's.
 */
export class Bridge implements HistoryAsker {
  readonly #sessionId: string
  readonly #stream: StreamDialect
  readonly #canRefresh: boolean
  readonly #deps: BridgeDeps
  readonly #sender: FrameSender
  readonly #reorder: Reorder
  readonly #known = new Set<string>()
  #socket: StreamSocket | undefined
  #state: 'connecting' | 'open' | 'reconnecting' | 'closed' = 'connecting'
  /** Commits of what arrived, one after the other. */
  #inbox: Promise<void> = Promise.resolve()
  #inboxSize = 0
  #redials = 0
  #downSince: number
  #refreshed = false
  #askedJwt: PromiseWithResolvers<{ jwt: string; expiresAt: number | null }> | undefined
  #cancelRedial: () => void = () => undefined
  #cancelReady: () => void = () => undefined

  constructor(session: Session, { stream, refreshToken }: Dialect, deps: BridgeDeps) {
    if (!stream) throw new Error(`${session.dialect} has no stream`)
    this.#sessionId = session.id
    this.#stream = stream
    this.#canRefresh = refreshToken !== undefined
    this.#deps = deps
    this.#downSince = deps.clock.now()
    this.#sender = new FrameSender(stream, deps, () => this.#doubt())
    this.#reorder = new Reorder(
      (message) => this.#commit(() => this.#receive(message)),
      (ms, run) => deps.clock.after(ms, run),
    )
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Dials. What goes wrong is dealt with here; nothing to wait for. */
  async start(): Promise<void> {
    try {
      for (const id of await this.#deps.knownIds(this.#sessionId)) this.#remember(id)
      await this.#dial()
    } catch (error) {
      this.#deps.onTrouble(this.#sessionId, error)
      this.#redialLater()
    }
  }

  /** Sends one text as a frame and waits for its ack. Throws UpstreamError. */
  async carry(session: Session, text: OutboundText, flight: Flight): Promise<Landed> {
    const landed = await this.#sender.carry(session, text, flight)
    const { outcome } = landed
    if (outcome.kind === 'sent' && outcome.upstreamId) this.#remember(outcome.upstreamId)
    return landed
  }

  /** Sends a frame nobody acknowledges. Throws `upstream-unavailable` while there is no stream. */
  tell(frame: Json): Promise<void> {
    return this.#sender.tell(frame)
  }

  knows(upstreamId: string): boolean {
    return this.#known.has(upstreamId)
  }

  async jwt(frame: Json): Promise<{ jwt: string; expiresAt: number | null }> {
    const asked = Promise.withResolvers<{ jwt: string; expiresAt: number | null }>()
    this.#askedJwt = asked
    const cancel = this.#deps.clock.after(this.#deps.ackTimeoutMs, () =>
      asked.reject(
        new GatewayError('upstream-timeout', 'The platform gave no token for its history'),
      ),
    )
    try {
      await this.tell(frame)
      return await asked.promise
    } finally {
      cancel()
    }
  }

  /** Ends the connection for good, saying goodbye first where the dialect does. */
  async stop(session?: Session): Promise<void> {
    if (this.#state === 'closed') return
    const farewell =
      session && this.#state === 'open' ? (this.#stream.goodbye?.(session) ?? []) : []
    // A goodbye that does not arrive changes nothing: the session is over here.
    for (const frame of farewell)
      await this.#socket?.send(JSON.stringify(frame)).catch(() => undefined)
    this.#close()
  }

  #close(): void {
    this.#state = 'closed'
    this.#cancelRedial()
    this.#cancelReady()
    this.#reorder.flush()
    this.#sender.close()
    this.#socket?.close()
    this.#deps.onEnd(this.#sessionId)
  }

  async #dial(): Promise<void> {
    const { registry, dialer, hosts, clock, ackTimeoutMs } = this.#deps
    const session = await registry.find(this.#sessionId)
    if (!session || isOver(session) || this.#state === 'closed') return this.#close()
    const opening = this.#stream.open(session, hosts, clock.now())
    const socket = dialer.dial(opening, {
      opened: () => {
        if (opening.readyWhen === 'opened') {
          this.#news({ kind: 'ready', patch: {}, expiresAt: null })
          return
        }
        // What would make it ready may be lost; a new connection asks again.
        this.#cancelReady = clock.after(ackTimeoutMs, () => {
          socket.close()
          this.#ended({ by: 'network', detail: 'the platform did not take the guest up in time' })
        })
      },
      frame: (text) => this.#frame(session, text),
      ended: (end) => this.#ended(end),
    })
    this.#socket = socket
  }

  #frame(session: Session, text: string): void {
    let frame: Json
    try {
      frame = JSON.parse(text) as Json
    } catch {
      // Not ours to understand, and no reason to lose a guest.
      return
    }
    const guest = this.#deps.registry.peek(this.#sessionId) ?? session
    for (const news of this.#stream.read(frame, guest, this.#deps.clock.now())) this.#news(news)
  }

  #news(news: StreamNews): void {
    switch (news.kind) {
      case 'ack':
        if (!this.#sender.settle(news)) this.#commit(() => this.#lateAck(news))
        break
      case 'nack':
        this.#sender.settle(news)
        break
      case 'receipt':
        this.#commit(() => this.#deps.onReceipt(this.#sessionId, news))
        break
      case 'message':
        this.#reorder.add(news, this.#deps.clock.now())
        break
      case 'ready':
        this.#commit(() => this.#ready(news))
        break
      case 'typing':
        this.#deps.onTyping(this.#sessionId)
        break
      case 'jwt':
        this.#askedJwt?.resolve(news)
        break
      case 'over':
        this.#reorder.flush()
        this.#commit(() => this.#over(news.state, news.reason))
        break
      case 'displaced':
        this.#reorder.flush()
        this.#commit(() => this.#over('closed', `displaced: ${news.reason}`))
        break
    }
  }

  /** Queues a commit behind those before it; stops reading while too many wait. */
  #commit(run: () => Promise<void>): void {
    this.#inboxSize += 1
    if (this.#inboxSize === maxInbox) this.#socket?.pause()
    this.#inbox = this.#inbox
      .then(run)
      .catch((error: unknown) => this.#deps.onTrouble(this.#sessionId, error))
      .finally(() => {
        this.#inboxSize -= 1
        if (this.#inboxSize === maxInbox / 2) this.#socket?.resume()
      })
  }

  async #ready(known: Extract<StreamNews, { kind: 'ready' }>): Promise<void> {
    this.#cancelReady()
    if (this.#state === 'closed') return
    const again = this.#state === 'reconnecting'
    const session = await this.#change((current) => streamOpened(current, known, this.#cause()))
    // It may have ended while that was written down; what follows an end is queued behind this.
    if (!this.#socket) return
    this.#state = 'open'
    this.#redials = 0
    this.#refreshed = false
    this.#sender.open(this.#socket)
    if (session && (again || session.stream.reconnects > 0)) void this.#catchUp(session)
  }

  async #catchUp(session: Session): Promise<void> {
    try {
      for (const news of await this.#deps.missed(this, session)) this.#news(news)
    } catch (error) {
      this.#deps.onTrouble(this.#sessionId, error)
    }
  }

  /** It came after its message was given up: then at least it is known to have arrived. */
  async #lateAck({ key, upstreamId }: Extract<StreamNews, { kind: 'ack' }>): Promise<void> {
    if (upstreamId === null || this.#known.has(upstreamId)) return
    if (await this.#deps.confirm(this.#sessionId, { key, text: null, upstreamId })) {
      this.#remember(upstreamId)
    }
  }

  async #receive(message: InboundMessage): Promise<void> {
    const { upstreamId, author, text } = message
    if (upstreamId !== null) {
      if (this.#known.has(upstreamId)) return
      this.#remember(upstreamId)
      // The guest's own words, whose ack was lost.
      const own = author === 'user' && { key: null, text, upstreamId }
      if (own && (await this.#deps.confirm(this.#sessionId, own))) return
    }
    await this.#change((current) => received(current, message, this.#cause()))
  }

  async #over(state: 'closed' | 'expired' | 'failed', reason: string): Promise<void> {
    await this.#change((current) => ended(current, state, reason, this.#cause()))
    this.#close()
  }

  #ended(end: StreamEnd): void {
    if (end.by === 'us' || this.#state === 'closed') return
    this.#cancelReady()
    const wasOpen = this.#state === 'open'
    if (wasOpen) this.#downSince = this.#deps.clock.now()
    this.#state = 'reconnecting'
    this.#socket = undefined
    this.#reorder.flush()
    this.#sender.lose()
    this.#commit(() => this.#afterEnd(end, wasOpen))
  }

  async #afterEnd(end: Exclude<StreamEnd, { by: 'us' }>, wasOpen: boolean): Promise<void> {
    const next = afterEnd(end, {
      resumable: this.#stream.resumable,
      canRefresh: this.#canRefresh && !this.#refreshed,
      downForMs: this.#deps.clock.now() - this.#downSince,
    })
    if (next.kind === 'over') return this.#over(next.state, next.reason)
    if (wasOpen) await this.#change((current) => streamLost(current, this.#cause()))
    if (next.kind === 'refresh') {
      this.#refreshed = true
      await this.#deps
        .refresh(this.#sessionId)
        .catch((error: unknown) => this.#deps.onTrouble(this.#sessionId, error))
    }
    this.#redialLater()
  }

  /** The connection can no longer be trusted to say which message an ack is for. */
  #doubt(): void {
    this.#socket?.close()
    this.#ended({ by: 'network', detail: 'an ack did not come' })
  }

  #redialLater(): void {
    if (this.#state === 'closed') return
    this.#cancelRedial = this.#deps.clock.after(redialDelayMs(this.#redials), () => {
      this.#redials += 1
      this.#dial().catch((error: unknown) => {
        this.#deps.onTrouble(this.#sessionId, error)
        this.#redialLater()
      })
    })
  }

  #remember(upstreamId: string): void {
    this.#known.add(upstreamId)
    const [oldest] = this.#known
    if (this.#known.size > rememberedIds && oldest !== undefined) this.#known.delete(oldest)
  }

  async #change(
    step: (current: Session) => ReturnType<typeof streamLost>,
  ): Promise<Session | undefined> {
    return this.#deps.registry.change(this.#sessionId, (current) =>
      isOver(current) ? undefined : step(current),
    )
  }

  #cause(): Cause {
    return { at: this.#deps.clock.now(), actor: null, trace: null }
  }
}
