import type { EventType } from '../../sessions/events.ts'
import type { Feed } from '../../sessions/feed.ts'
import { newId } from '../../sessions/ids.ts'
import type { Store } from '../../store/store.ts'
import type { Source } from './reader.ts'

/** One session's events; the cursor is the sequence. */
export function sessionSource(store: Store, feed: Feed, sessionId: string): Source {
  return {
    read: (after, limit) => store.eventsOf(sessionId, after, limit),
    newest: async () => (await store.findSession(sessionId))?.sequence ?? 0,
    follow: (listener) => feed.onSession(sessionId, listener),
    cursorOf: (event) => event.sequence,
    gapless: true,
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

const finalTypes: readonly EventType[] = ['session.closed', 'session.expired', 'session.failed']

/** After it only what becomes of waiting messages can follow. */
export function isFinal(type: EventType): boolean {
  return finalTypes.includes(type)
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
