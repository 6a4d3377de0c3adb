import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.ts'
import { isEnd, type JournalEvent } from '../../sessions/events.ts'
import type { Feed } from '../../sessions/feed.ts'
import { isOver, type Session } from '../../sessions/session.ts'
import type { Store } from '../../store/store.ts'
import { type Ending, QuietEnd } from './quiet-end.ts'
import { readJournal, type Sink } from './reader.ts'
import { ephemeral, SessionSource } from './session-source.ts'

export interface FollowDeps {
  store: Store
  feed: Feed
  clock: Clock
  logger: FastifyBaseLogger
}

/** What a session's stream needs of the connection to its client, whatever that speaks. */
export interface Line {
  /** An event of the journal. A promise asks to wait before the next. */
  send(event: JournalEvent): Promise<void> | undefined
  /** What is not in the journal and must arrive all the same. */
  tell(text: string): void
  /** What is worth only the moment, and is left out while the client is behind. */
  mention(text: string): void
  /** The session is over and everything has been sent. */
  over(): void
  cut(reason: 'too-slow' | 'trouble'): void
}

/** Follows one session for one client, from the event after `after` on. Returns the way to stop. */
export function followSession(
  deps: FollowDeps,
  session: Session,
  after: number,
  line: Line,
): () => void {
  const follower = new Follower(deps, session, line)
  follower.start(after)
  return () => follower.stop()
}

class Follower implements Sink, Ending {
  readonly #deps: FollowDeps
  readonly #sessionId: string
  readonly #line: Line
  readonly #end: QuietEnd
  #stopReading: (() => void) | undefined
  #stopTyping: (() => void) | undefined

  constructor(deps: FollowDeps, session: Session, line: Line) {
    this.#deps = deps
    this.#sessionId = session.id
    this.#line = line
    this.#end = new QuietEnd(deps.clock, isOver(session), this)
  }

  start(after: number): void {
    const { store, feed, clock } = this.#deps
    const id = this.#sessionId
    this.#stopReading = readJournal(new SessionSource(store, feed, id), after, this)
    this.#stopTyping = feed.onTyping(id, () => {
      this.#line.mention(ephemeral('typing', id, clock.now(), {}))
    })
  }

  stop(): void {
    this.#stopReading?.()
    this.#stopTyping?.()
    this.#end.cancel()
  }

  event(event: JournalEvent): Promise<void> | undefined {
    this.#end.saw(isEnd(event.type))
    return this.#line.send(event)
  }

  reset(oldest: number): void {
    this.#line.tell(ephemeral('stream.reset', this.#sessionId, this.#deps.clock.now(), { oldest }))
  }

  idle(): void {
    this.#end.idle()
  }

  cut(reason: 'too-slow' | 'trouble', err?: unknown): void {
    const { logger } = this.#deps
    const sessionId = this.#sessionId
    if (reason === 'trouble') logger.error({ sessionId, err }, 'the journal cannot be read')
    this.#line.cut(reason)
  }

  async isSettled(): Promise<boolean> {
    return (await this.#deps.store.unsettledMessages(this.#sessionId)).length === 0
  }

  over(): void {
    this.#line.over()
  }
}
