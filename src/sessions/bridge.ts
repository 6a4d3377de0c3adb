import type { Dialect, OutboundText, StreamNews, StreamOpening } from '../genesys/dialect.ts'
import type { StreamEnd, StreamHandlers, StreamSocket } from '../genesys/socket.ts'
import type { Json } from '../json.ts'
import type { Trace } from '../trace.ts'
import type { BridgeDeps } from './bridge-deps.ts'
import type { Flight, Landed } from './carrier.ts'
import { forgotten } from './close-reasons.ts'
import { sayGoodbye } from './farewell.ts'
import { FrameSender } from './frame-sender.ts'
import { Incoming, type IncomingBridge } from './incoming.ts'
import { frameName } from './news-in.ts'
import { Outage } from './outage.ts'
import { afterEnd } from './redial.ts'
import { isOver, type Session } from './session.ts'
import { byItself, ended, type Step } from './steps.ts'
import { streamLost, streamOpened } from './stream-steps.ts'

/** What is on its way when a guest leaves gets so long for its ack. */
const goodbyePatienceMs = 2000

/**
 * One session's stream, as long as the session lives: dials, keeps the platform's order, matches acks, redials where
 * the dialect can take the guest up again, and ends the session where it cannot. The connection's end is not the
 * session's.
 */
export class Bridge implements IncomingBridge, StreamHandlers {
  readonly sessionId: string
  readonly stream: NonNullable<Dialect['stream']>
  readonly #canRefresh: boolean
  readonly #deps: BridgeDeps
  readonly #sender: FrameSender
  readonly #incoming: Incoming
  #socket: StreamSocket | undefined
  #state: 'connecting' | 'open' | 'reconnecting' | 'closed' = 'connecting'
  /** The journal says that the stream is open; when a bridge begins, it is what an earlier process left. */
  #announced: boolean
  /** The guest has been let in, now or in an earlier process. */
  #letIn: boolean
  readonly outage: Outage
  /** How long the platform keeps the guest; null before it has let it in. */
  #keptForMs: number | null = null
  #refreshed = false
  #trace: Trace | null
  #cancelRedial: (() => void) | undefined
  #cancelReady: (() => void) | undefined

  /** `trace`: of the request that made the session, for its first stream; null where an earlier process had one. */
  constructor(
    session: Session,
    { stream, refreshToken }: Dialect,
    deps: BridgeDeps,
    trace: Trace | null,
  ) {
    if (!stream) throw new Error(`${session.dialect} has no stream`)
    const { clock } = deps
    this.sessionId = session.id
    this.stream = stream
    this.#canRefresh = refreshToken !== undefined
    this.#deps = deps
    this.#letIn = session.activatedAt !== null
    this.#announced = session.stream.state === 'open'
    this.outage = new Outage(clock, stream.limits.openings)
    if (this.#letIn) this.#keptForMs = stream.keptForMs?.(session) ?? null
    this.#trace = trace
    this.#sender = new FrameSender(stream, deps, () => this.#giveUp('an ack did not come'))
    this.#incoming = new Incoming(this, this.#sender, deps)
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** Dials. What goes wrong is dealt with here; nothing to wait for. */
  async start(): Promise<void> {
    try {
      await this.#dial()
    } catch (error) {
      this.onTrouble(error)
      this.ended({ by: 'network', detail: 'it could not be dialled' })
    }
  }

  /** Sends one text as a frame and waits for its ack. Throws UpstreamError. */
  async carry(session: Session, text: OutboundText, flight: Flight): Promise<Landed> {
    const landed = await this.#sender.carry(session, text, flight)
    if (landed.outcome.kind !== 'sent') return landed
    const endsAt = this.stream.livesUntil?.(session, this.#deps.clock.now())
    if (endsAt) this.#deps.expiry.move(session.id, endsAt)
    return landed
  }

  /** Shows the other side that the guest types. Throws `upstream-unavailable` while there is no stream. */
  type(frame: Json): Promise<void> {
    return this.#sender.type(frame)
  }

  /**
   * Ends the connection for good, and resolves when all that came over it is written down. `session`, as it was, where
   * the guest leaves: then it says goodbye first, if its dialect does.
   */
  async stop(session?: Session, trace: Trace | null = null): Promise<void> {
    const open = this.#state === 'open' ? this.#socket : undefined
    const leaves = this.#state !== 'closed' && this.#letIn && session
    if (leaves && open) await this.#sender.quiet(goodbyePatienceMs)
    if (leaves) await sayGoodbye(this.#deps, this.stream, session, open, trace)
    this.end()
    await this.#incoming.done()
  }

  /** Ends the connection for good, without a word. */
  end(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#cancelRedial?.()
    this.#cancelReady?.()
    this.#incoming.lose()
    this.#sender.close()
    this.#socket?.close()
    this.#deps.onEnd(this.sessionId)
  }

  async #dial(): Promise<void> {
    const { registry, dialer, hosts, clock } = this.#deps
    // An earlier process had the one socket there is.
    if (this.#letIn && !this.stream.resumable) return this.#over('closed', 'stream-lost')
    await this.#incoming.recall()
    await this.#announceLoss()
    // Standing in line is not the platform's fault.
    this.outage.excuse(await this.#deps.turns.next(() => this.#state !== 'closed'))
    const session = await registry.find(this.sessionId)
    if (!session || isOver(session) || this.#state === 'closed') return this.end()
    const opening = this.stream.open(session, hosts, clock.now(), this.#trace)
    const about = { sessionId: session.id, trace: this.#trace }
    this.outage.dialled()
    this.#incoming.dialled(session)
    this.#socket = dialer.dial(opening, about, this)
  }

  opened({ frames, readyWhen }: StreamOpening): void {
    this.#letIn = true
    this.#sender.dialled(frames.length)
    if (readyWhen === 'opened') {
      this.onNews({ kind: 'ready', patch: {}, expiresAt: null, isNew: false })
      return
    }
    // What would make it ready may be lost; a new connection asks again.
    const { clock, ackTimeoutMs } = this.#deps
    this.#cancelReady = clock.after(ackTimeoutMs, () => this.#giveUp('it was not taken up'))
  }

  frame(text: string): void {
    for (const news of this.#incoming.read(text)) {
      if (!this.#incoming.claims(news)) this.onNews(news)
    }
  }

  onTrouble(error: unknown): void {
    this.#deps.onTrouble(this.sessionId, error)
  }

  isStopped(): boolean {
    return this.#state === 'closed'
  }

  connection(): StreamSocket | undefined {
    return this.#socket
  }

  onNews(news: StreamNews): void {
    switch (news.kind) {
      case 'ack':
        if (!this.#sender.settle(news)) this.#incoming.lateAck(news, this.#sender.doubtful)
        else if (news.upstreamId !== null) this.#incoming.knows(news.upstreamId)
        break
      case 'nack':
        this.#sender.settle(news)
        break
      case 'receipt':
        this.#incoming.add(() => this.#deps.onReceipt(this.sessionId, news))
        break
      case 'upload-place':
      case 'upload-done':
      case 'upload-refused':
        this.#sender.uploaded(news)
        break
      case 'message':
        this.#incoming.message(news)
        break
      case 'ready':
        this.#cancelReady?.()
        if (!this.#announced) this.#incoming.letIn()
        this.#incoming.add(() => this.#ready(news))
        break
      case 'typing':
        this.#deps.onTyping(this.sessionId)
        break
      case 'jwt':
        this.#incoming.jwt(news)
        break
      case 'over':
        this.#incoming.flush()
        this.#incoming.add(() => this.#over(news.state, news.reason))
        break
      case 'learned':
        this.#incoming.add(() => this.#deps.onLearned(this.sessionId, news.patch))
        break
      case 'unknown':
        this.#deps.onUnknown(this.sessionId, frameName(news.raw))
        break
    }
  }

  /** The guest may speak. Some say so more than once. */
  async #ready(known: Extract<StreamNews, { kind: 'ready' }>): Promise<void> {
    if (this.#announced || !this.#socket) return
    const cause = byItself(this.#deps.clock.now(), this.#trace)
    const session = await this.change((current) => streamOpened(current, known, cause))
    if (session.closeReason === forgotten) return this.end()
    this.#announced = true
    this.#trace = null
    this.#keptForMs = this.stream.keptForMs?.(session) ?? null
    // It may have ended while that was written down; what follows an end is queued behind this.
    if (!this.#socket || this.#state === 'closed') return
    if (known.expiresAt !== null) this.#deps.expiry.set(session.id, known.expiresAt)
    this.#state = 'open'
    this.outage.over()
    this.#refreshed = false
    this.#sender.open(this.#socket)
    void this.#incoming.fillGap(session)
  }

  async #over(state: 'closed' | 'expired' | 'failed', reason: string): Promise<void> {
    await this.change((current) => ended(current, state, reason, byItself(this.#deps.clock.now())))
    this.end()
  }

  ended(end: StreamEnd): void {
    if (end.by === 'us' || this.#state === 'closed') return
    this.#cancelReady?.()
    this.outage.begin(end)
    this.#state = 'reconnecting'
    this.#socket = undefined
    this.#incoming.lose()
    this.#sender.lose()
    this.#incoming.add(() => this.#afterEnd(end))
  }

  async #afterEnd(end: Exclude<StreamEnd, { by: 'us' }>): Promise<void> {
    const next = afterEnd(end, {
      resumable: this.stream.resumable || !this.#letIn,
      canRefresh: this.#canRefresh && !this.#refreshed,
      downForMs: this.outage.lastsMs,
      keptForMs: this.#keptForMs,
    })
    if (next.kind === 'over') return this.#over(next.state, next.reason)
    await this.#announceLoss()
    if (next.kind === 'refresh') await this.#refresh()
    this.#redialLater(next.kind === 'redial' ? next.notBeforeMs : 0)
  }

  async #announceLoss(): Promise<void> {
    if (!this.#announced) return
    let isFirst = false
    await this.change((current) => {
      isFirst = typeof current.gapAfter !== 'number'
      return streamLost(current, byItself(this.#deps.clock.now()))
    })
    this.#announced = false
    this.#incoming.gapBegins(isFirst)
  }

  async #refresh(): Promise<void> {
    try {
      await this.#deps.refresh(this.sessionId)
      this.#refreshed = true
    } catch (error) {
      this.onTrouble(error)
    }
  }

  /** The connection is of no use any more. */
  #giveUp(detail: string): void {
    this.#socket?.close()
    this.ended({ by: 'network', detail })
  }

  #redialLater(notBeforeMs: number): void {
    if (this.#state === 'closed') return
    const delayMs = this.outage.nextDialMs(notBeforeMs)
    this.#cancelRedial = this.#deps.clock.after(delayMs, () => void this.start())
  }

  change(step: (current: Session) => Step | undefined): Promise<Session> {
    return this.#deps.registry.change(this.sessionId, (current) =>
      isOver(current) ? undefined : step(current),
    )
  }
}
