import type { Store } from '../store/store.ts'
import type { JournalEvent } from './events.ts'

type Listener = (event: JournalEvent) => void
type TypingListener = () => void
/** Never changed, so that those who come and go while one is told do not matter; most have one. */
type Listeners<T> = readonly T[]

/** The journal as it grows, for those in this process who wait for one session, one message, or all of it. */
export class Feed implements Disposable {
  readonly #bySession = new Map<string, Listeners<Listener>>()
  readonly #byMessage = new Map<string, Listeners<Listener>>()
  #all: Listeners<Listener> = []
  readonly #typing = new Map<string, Listeners<TypingListener>>()
  readonly #stop: () => void

  constructor(store: Pick<Store, 'follow'>) {
    this.#stop = store.follow((events) => {
      const failures: unknown[] = []
      for (const event of events) {
        tell(this.#bySession.get(event.sessionId), event, failures)
        if (event.messageId !== null) tell(this.#byMessage.get(event.messageId), event, failures)
        tell(this.#all, event, failures)
      }
      // The store reports it.
      if (failures.length > 0) throw failures[0]
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

  /** Calls `listener` with every later event. Returns the way to stop. */
  onAny(listener: Listener): () => void {
    this.#all = [...this.#all, listener]
    return () => {
      this.#all = without(this.#all, listener)
    }
  }

  /** The other side of the session is typing. Not journalled: it is only worth telling those who look. */
  typing(sessionId: string): void {
    for (const listener of this.#typing.get(sessionId) ?? []) listener()
  }

  onTyping(sessionId: string, listener: TypingListener): () => void {
    return subscribe(this.#typing, sessionId, listener)
  }

  [Symbol.dispose](): void {
    this.#stop()
  }
}

function subscribe<T>(all: Map<string, Listeners<T>>, key: string, listener: T): () => void {
  all.set(key, [...(all.get(key) ?? []), listener])
  return () => {
    const left = without(all.get(key) ?? [], listener)
    if (left.length > 0) all.set(key, left)
    else all.delete(key)
  }
}

/** Once less, where it listens more than once. */
function without<T>(listeners: Listeners<T>, listener: T): Listeners<T> {
  const at = listeners.indexOf(listener)
  return at === -1 ? listeners : listeners.toSpliced(at, 1)
}

/** One who throws keeps nothing from the others. */
function tell(
  listeners: Listeners<Listener> | undefined,
  event: JournalEvent,
  failures: unknown[],
): void {
  if (!listeners) return
  for (const listener of listeners) {
    try {
      listener(event)
    } catch (error) {
      failures.push(error)
    }
  }
}
