import { afterThis } from '../clock.ts'
import type { InboundMessage, StreamDialect, StreamNews } from '../genesys/dialect.ts'
import type { Json } from '../json.ts'
import type { BridgeDeps } from './bridge-deps.ts'
import { CatchUp } from './catch-up.ts'
import { Inbox } from './inbox.ts'
import { type Receiver, receive, receiveLate } from './receive.ts'
import { RecentIds } from './recent-ids.ts'
import { Reorder } from './reorder.ts'
import type { Session } from './session.ts'
import { byItself, type Step } from './steps.ts'
import { gapFilled, receivedTogether } from './stream-steps.ts'

const rememberedIds = 1000

/** What the inbound half of a bridge needs of the rest of it. */
export interface IncomingBridge {
  sessionId: string
  stream: StreamDialect
  isStopped(): boolean
  connection(): { pause(): void; resume(): void } | undefined
  /** Sends a frame without an ack. */
  tell(frame: Json): Promise<void>
  change(step: (current: Session) => Step | undefined): Promise<Session>
  onNews(news: StreamNews): void
  /** Whether it is a message of ours that waited for its ack. */
  claim(message: InboundMessage): boolean
}

/**
 * The inbound half of a bridge: what the other side says is written down in the platform's order, each thing once, and
 * what it said while there was no stream is learned. Outlives connections.
 */
export class Incoming {
  readonly #bridge: IncomingBridge
  readonly #deps: BridgeDeps
  readonly #known = new RecentIds(rememberedIds)
  readonly #receiver: Receiver
  readonly #inbox: Inbox<InboundMessage>
  readonly #reorder: Reorder
  readonly #catchUp: CatchUp
  #hasReadKnown = false
  #connection = 0

  constructor(bridge: IncomingBridge, deps: BridgeDeps) {
    const { sessionId, isStopped, connection, change, tell, claim } = bridge
    const { clock } = deps
    this.#bridge = bridge
    this.#deps = deps
    this.#receiver = {
      known: this.#known,
      confirm: (evidence) => deps.confirm(sessionId, evidence),
      claim,
      write: (fresh) =>
        change((current) => receivedTogether(current, fresh, byItself(clock.now()))),
    }
    this.#inbox = new Inbox({
      clock,
      isStopped,
      onTrouble: (error) => deps.onTrouble(sessionId, error),
      connection,
      receive: (messages) => receive(messages, this.#receiver),
    })
    this.#reorder = new Reorder(
      (messages) => this.#inbox.put(messages),
      (ms, run) => (ms > 0 ? clock.after(ms, run) : afterThis(run)),
    )
    this.#catchUp = new CatchUp(deps, tell)
  }

  /** Before the first connection: what is in the transcript already is nothing new. */
  async recall(): Promise<void> {
    if (this.#hasReadKnown) return
    for (const id of await this.#deps.knownIds(this.#bridge.sessionId)) this.#known.add(id)
    this.#hasReadKnown = true
  }

  /** A message of ours that the platform has. */
  knows(upstreamId: string): void {
    this.#known.add(upstreamId)
  }

  /** It is the ack of a message in flight, though it does not say so. In a history it may be an older one's. */
  claims(news: StreamNews): boolean {
    if (news.kind !== 'message' || !this.#bridge.claim(news)) return false
    if (news.upstreamId !== null) this.#known.add(news.upstreamId)
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

  /** An ack that came after its message was given up: then at least it is known to have arrived. */
  lateAck(key: string, upstreamId: string): void {
    const evidence = { key, text: null, upstreamId }
    this.#inbox.add(() => receiveLate(evidence, this.#receiver))
  }

  /** The token for the history has come. */
  jwt(news: Extract<StreamNews, { kind: 'jwt' }>): void {
    this.#catchUp.heard(news)
  }

  /** The connection is gone. */
  lose(): void {
    this.#connection += 1
    this.#reorder.flush()
    this.#catchUp.lose()
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
    if (isFirst && this.#bridge.stream.history) this.#catchUp.begin(this.#known.copy())
  }

  /** Learns what was missed, if anything was. What is said meanwhile waits for it, for a while. */
  async fillGap(session: Session): Promise<void> {
    if (!this.#hasGap(session)) return
    const { isStopped, onNews } = this.#bridge
    const connection = this.#connection
    this.#reorder.wait()
    const missed = await this.#catchUp.run(session)
    if (isStopped()) return
    for (const news of missed ?? []) onNews(news)
    if (this.#connection !== connection) return
    this.#reorder.goOn()
    if (missed) this.#gapIsFilled()
  }

  #hasGap(session: Session | undefined): boolean {
    return this.#bridge.stream.history !== undefined && typeof session?.gapAfter === 'number'
  }

  #gapIsFilled(): void {
    const { clock } = this.#deps
    this.#reorder.flush()
    this.#inbox.add(async () => {
      await this.#bridge.change((current) => gapFilled(current, byItself(clock.now())))
      this.#catchUp.end()
    })
  }
}
