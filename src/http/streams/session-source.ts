import type { JournalEvent } from '../../sessions/events.ts'
import type { Feed } from '../../sessions/feed.ts'
import { newId } from '../../sessions/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Source } from './reader.ts'

/** One session's events; the cursor is the sequence. There are as many as viewers. */
export class SessionSource implements Source {
  readonly gapless = true
  readonly #store: Store
  readonly #feed: Feed
  readonly #sessionId: string

  constructor(store: Store, feed: Feed, sessionId: string) {
    this.#store = store
    this.#feed = feed
    this.#sessionId = sessionId
  }

  read(after: number, limit: number): Promise<JournalEvent[]> {
    return this.#store.eventsOf(this.#sessionId, after, limit)
  }

  async newest(): Promise<number> {
    return (await this.#store.findSession(this.#sessionId))?.sequence ?? 0
  }

  follow(listener: (event: JournalEvent) => void): () => void {
    return this.#feed.onSession(this.#sessionId, listener)
  }

  cursorOf(event: JournalEvent): number {
    return event.sequence
  }
}

/** Every session's events; the cursor is the place in the journal. */
export function journalSource(store: Store, feed: Feed): Source {
  return {
    read: (after, limit) => store.journal(after, limit),
    newest: () => store.lastPosition(),
    follow: (listener) => feed.onAny(listener),
    cursorOf: (event) => event.position,
    gapless: false,
  }
}

/** An event that is not in the journal, in the shape of those that are, without a sequence. */
export function ephemeral(
  type: 'typing' | 'stream.reset',
  /** Null on the stream of all sessions. */
  sessionId: string | null,
  at: number,
  data: object,
): string {
  return JSON.stringify({
    specversion: '1.0',
    id: newId('evt'),
    source: 'genesys-guest-gateway',
    type,
    ...(sessionId !== null && { subject: sessionId }),
    time: new Date(at).toISOString(),
    datacontenttype: 'application/json',
    data,
  })
}
