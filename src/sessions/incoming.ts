import { afterThis, type Clock } from '../clock.ts'
import type {
  InboundMessage,
  StreamDialect,
  StreamNews,
  UpstreamGuest,
} from '../genesys/dialect.ts'
import type { Json } from '../json.ts'
import type { BridgeDeps } from './bridge-deps.ts'
import { CatchUp } from './catch-up.ts'
import { Inbox, type InboxDeps } from './inbox.ts'
import type { Evidence } from './late-truth.ts'
import { guestOf, newsIn } from './news-in.ts'
import { type Receiver, receive, receiveLate } from './receive.ts'
import { RecentIds } from './recent-ids.ts'
import { Reorder } from './reorder.ts'
import type { Session } from './session.ts'
import { byItself, type Step } from './steps.ts'
import { gapFilled, receivedTogether } from './stream-steps.ts'

const rememberedIds = 1000

/** What the inbound half of a bridge needs of the rest of it. */
export interface IncomingBridge {
  readonly sessionId: string
  readonly stream: StreamDialect
  isStopped(): boolean
  connection(): { pause(): void; resume(): void } | undefined
  change(step: (current: Session) => Step | undefined): Promise<Session>
  onNews(news: StreamNews): void
  onTrouble(error: unknown): void
}

/** And of its outbound half. */
export interface Sent {
  /** Sends a frame without an ack. */
  tell(frame: Json): Promise<void>
  /** Whether it is a message of ours that waited for its ack. */
  claim(message: InboundMessage): boolean
}

/**
 * The inbound half of a bridge: what the other side says is written down in the platform's order, each thing once, and
 * what it said while there was no stream is learned. Outlives connections.
 */
export class Incoming implements Receiver, InboxDeps<InboundMessage> {
  readonly known = new RecentIds(rememberedIds)
  readonly #bridge: IncomingBridge
  readonly #sent: Sent
  readonly #deps: BridgeDeps
  readonly #inbox: Inbox<InboundMessage>
  readonly #reorder: Reorder
  /** Where the platform has a history. */
  readonly #catchUp: CatchUp | undefined
  /** As dialled; what frames are read with while the session is not in memory. */
  #guest: UpstreamGuest | undefined
  #hasReadKnown = false
  #connection = 0

  constructor(bridge: IncomingBridge, sent: Sent, deps: BridgeDeps) {
    const { clock } = deps
    this.#bridge = bridge
    this.#sent = sent
    this.#deps = deps
    this.#inbox = new Inbox(this)
    this.#reorder = new Reorder(this.#inbox, (ms, run) =>
      ms > 0 ? clock.after(ms, run) : afterThis(run),
    )
    if (bridge.stream.history) this.#catchUp = new CatchUp(deps, (frame) => sent.tell(frame))
  }

  get clock(): Clock {
    return this.#deps.clock
  }

  isStopped(): boolean {
    return this.#bridge.isStopped()
  }

  connection(): { pause(): void; resume(): void } | undefined {
    return this.#bridge.connection()
  }

  onTrouble(error: unknown): void {
    this.#bridge.onTrouble(error)
  }

  receive(messages: readonly InboundMessage[]): Promise<void> {
    return receive(messages, this)
  }

  confirm(evidence: Evidence): Promise<boolean> {
    return this.#deps.confirm(this.#bridge.sessionId, evidence)
  }

  claim(message: InboundMessage): boolean {
    return this.#sent.claim(message)
  }

  write(messages: readonly InboundMessage[]): Promise<unknown> {
    return this.#bridge.change((current) =>
      receivedTogether(current, messages, byItself(this.clock.now())),
    )
  }

  /** Before the first connection: what is in the transcript already is nothing new. */
  async recall(): Promise<void> {
    if (this.#hasReadKnown) return
    for (const id of await this.#deps.knownIds(this.#bridge.sessionId)) this.known.add(id)
    this.#hasReadKnown = true
  }

  /** A message of ours that the platform has. */
  knows(upstreamId: string): void {
    this.known.add(upstreamId)
  }

  /** There is a new connection. */
  dialled(session: Session): void {
    this.#guest = guestOf(session)
  }

  /** What a frame of the connection says. */
  read(text: string): StreamNews[] {
    const { registry, clock } = this.#deps
    const guest = registry.peek(this.#bridge.sessionId) ?? this.#guest
    if (!guest) return []
    const onTrouble = (error: unknown) => this.onTrouble(error)
    return newsIn(text, this.#bridge.stream, { guest, at: clock.now(), onTrouble })
  }

  /** It is the ack of a message in flight, though it does not say so. In a history it may be an older one's. */
  claims(news: StreamNews): boolean {
    if (news.kind !== 'message' || !this.claim(news)) return false
    if (news.upstreamId !== null) this.known.add(news.upstreamId)
    return true
  }

  message(message: InboundMessage): void {
    this.#reorder.add(message, this.#deps.clock.now())
  }

  /** Done in its turn, after the messages that came before; begun again where the store has trouble. */
  add(run: () => Promise<void>): void {
    this.#inbox.add(run)
  }

  /** Nothing more can come before what has come: what was held back for that is written down. */
  flush(): void {
    this.#reorder.flush()
  }

  /** An ack that came after its message was given up, `doubtful`: then at least it is known to have arrived. */
  lateAck(ack: Extract<StreamNews, { kind: 'ack' }>, doubtful: string | null): void {
    const { upstreamId } = ack
    const key = ack.key ?? doubtful
    if (key === null || upstreamId === null) return
    const evidence = { key, text: null, upstreamId }
    this.#inbox.add(() => receiveLate(evidence, this))
  }

  /** The token for the history has come. */
  jwt(news: Extract<StreamNews, { kind: 'jwt' }>): void {
    this.#catchUp?.heard(news)
  }

  /** The connection is gone. */
  lose(): void {
    this.#connection += 1
    this.#reorder.flush()
    this.#catchUp?.lose()
  }

  /** Resolves when all that came is written down. */
  done(): Promise<void> {
    return this.#inbox.done()
  }

  /** The guest has been let in again: what is said from now on stands after what it has missed. */
  letIn(): void {
    const session = this.#deps.registry.peek(this.#bridge.sessionId)
    if (this.#hasGap(session)) this.#reorder.wait()
  }

  /** The loss of the stream is in the journal. `isFirst`: nothing was missing before. */
  gapBegins(isFirst: boolean): void {
    if (isFirst) this.#catchUp?.begin(this.known.copy())
  }

  /** Learns what was missed, if anything was. What is said meanwhile waits for it, for a while. */
  async fillGap(session: Session): Promise<void> {
    if (!this.#hasGap(session)) return
    const connection = this.#connection
    this.#reorder.wait()
    const missed = await this.#catchUp?.run(session)
    if (this.isStopped()) return
    for (const news of missed ?? []) this.#bridge.onNews(news)
    if (this.#connection !== connection) return
    this.#reorder.goOn()
    if (missed) this.#gapIsFilled()
  }

  #hasGap(session: Session | undefined): boolean {
    return this.#catchUp !== undefined && typeof session?.gapAfter === 'number'
  }

  #gapIsFilled(): void {
    const { clock } = this.#deps
    this.#reorder.flush()
    this.#inbox.add(async () => {
      await this.#bridge.change((current) => gapFilled(current, byItself(clock.now())))
      this.#catchUp?.end()
    })
  }
}
