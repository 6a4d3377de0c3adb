import type { Store } from '../store/store.ts'
import type { JournalEvent } from './events.ts'

type Listener = (event: JournalEvent) => void

/** The journal as it grows, for those in this process who wait for one session or one message. */
export class Feed implements Disposable {
  readonly #bySession = new Map<string, Set<Listener>>()
  readonly #byMessage = new Map<string, Set<Listener>>()
  readonly #stop: () => void

  constructor(store: Pick<Store, 'follow'>) {
    this.#stop = store.follow((events) => {
      for (const event of events) {
        tell(this.#bySession.get(event.sessionId), event)
        if (event.messageId !== null) tell(this.#byMessage.get(event.messageId), event)
      }
    })
  }

  /** Calls `listener` with every later event of the session. Returns the way to stop. */
  onSession(sessionId: string, listener: Listener): () => void {
    return subscribe(this.#bySession, sessionId, listener)
  }

  /** Calls `listener` with every later event of the message. Returns the way to stop. */
  onMessage(messageId: string, listener: Listener): () => void {
    return subscribe(this.#byMessage, messageId, listener)
  }

  [Symbol.dispose](): void {
    this.#stop()
  }
}

function subscribe(all: Map<string, Set<Listener>>, key: string, listener: Listener): () => void {
  const listeners = all.get(key) ?? new Set()
  all.set(key, listeners.add(listener))
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && all.get(key) === listeners) all.delete(key)
  }
}

function tell(listeners: Set<Listener> | undefined, event: JournalEvent): void {
  if (listeners) for (const listener of [...listeners]) listener(event)
}
