import type { FastifyBaseLogger } from 'fastify'
import type { Clock } from '../../clock.ts'
import type { JournalEvent } from '../../sessions/events.ts'
import type { Feed } from '../../sessions/feed.ts'
import { isOver, type Session } from '../../sessions/session.ts'
import type { Store } from '../../store/store.ts'
import { quietEnd } from './quiet-end.ts'
import { readJournal } from './reader.ts'
import { ephemeral, isFinal, sessionSource } from './session-source.ts'

export interface FollowDeps {
  store: Store
  feed: Feed
  clock: Clock
  logger: FastifyBaseLogger
}

/** What a session's stream needs of the connection to its client, whatever that speaks. */
export interface Line {
  /** An event of the journal. A promise asks to wait before the next. */
  send(text: string, sequence: number, event: JournalEvent): Promise<void> | undefined
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
  { store, feed, clock, logger }: FollowDeps,
  session: Session,
  after: number,
  line: Line,
): () => void {
  const { id } = session
  const end = quietEnd({
    clock,
    over: isOver(session),
    isSettled: async () => (await store.unsettledMessages(id)).length === 0,
    end: () => line.over(),
  })
  const stopReading = readJournal(sessionSource(store, feed, id), after, {
    event: (text, sequence, event) => {
      end.saw(isFinal(event.type))
      return line.send(text, sequence, event)
    },
    reset: (oldest) => line.tell(ephemeral('stream.reset', id, clock.now(), { oldest })),
    idle: () => end.idle(),
    cut: (reason, err) => {
      if (reason === 'trouble') logger.error({ sessionId: id, err }, 'the journal cannot be read')
      line.cut(reason)
    },
  })
  const untype = feed.onTyping(id, () => {
    line.mention(ephemeral('typing', id, clock.now(), {}))
  })
  return () => {
    stopReading()
    untype()
    end.cancel()
  }
}
