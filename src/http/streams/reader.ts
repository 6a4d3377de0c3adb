import type { JournalEvent } from '../../sessions/events.ts'
import { cloudEvent } from '../../sessions/views.ts'

/** One reader's line to its client. */
export interface Sink {
  /** Writes one event: CloudEvents JSON, and what to resume from. A promise asks to wait before the next. */
  event(text: string, cursor: number, event: JournalEvent): Promise<void> | undefined
  /** What is kept begins at `oldest`; what was before is gone. */
  reset(oldest: number): void
  /** The reader did not keep up, or the journal could not be read. Nothing comes after. */
  cut(reason: 'too-slow' | 'trouble', error?: unknown): void
}

/** Where events come from: a session's journal, or all of it. */
export interface Source {
  /** Events after the cursor, in order. */
  read(after: number, limit: number): Promise<JournalEvent[]>
  /** Calls with every later event. Returns the way to stop. */
  follow(listener: (event: JournalEvent) => void): () => void
  cursorOf(event: JournalEvent): number
  /** Cursors are numbered without gaps, so a missing one shows. */
  gapless: boolean
}

const page = 200
const maxQueuedBytes = 1024 * 1024

/**
 * Gives one client every event after `after`, once, in order: from the journal until it has caught up, then as they
 * happen. A client that is slower than what happens is cut once a megabyte waits for it; it can come back with the
 * last cursor it saw. Returns the way to stop.
 */
export function readJournal(source: Source, after: number, sink: Sink): () => void {
  const reader = new Reader(source, after, sink)
  void reader.run()
  return () => reader.stop()
}

class Reader {
  readonly #source: Source
  readonly #sink: Sink
  readonly #unfollow: () => void
  #cursor: number
  #stopped = false
  /** Behind: events are only noticed, and read from the journal. Live: they are queued as they happen. */
  #live = false
  #noticed = false
  readonly #queue: JournalEvent[] = []
  #queuedBytes = 0
  #wake: () => void = () => undefined

  constructor(source: Source, after: number, sink: Sink) {
    this.#source = source
    this.#sink = sink
    this.#cursor = after
    this.#unfollow = source.follow((event) => this.#happened(event))
  }

  async run(): Promise<void> {
    try {
      await this.#catchUp()
      while (!this.#stopped) await this.#next()
    } catch (error) {
      this.#cut('trouble', error)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#unfollow()
    this.#queue.length = 0
    this.#wake()
  }

  #happened(event: JournalEvent): void {
    this.#noticed = true
    if (!this.#live) return
    this.#queue.push(event)
    this.#queuedBytes += event.data.length
    if (this.#queuedBytes > maxQueuedBytes) this.#cut('too-slow')
    this.#wake()
  }

  async #catchUp(): Promise<void> {
    for (let first = true; !this.#stopped; first = false) {
      this.#noticed = false
      const events = await this.#source.read(this.#cursor, page)
      if (first) this.#checkKept(events[0])
      for (const event of events) {
        if (this.#stopped) return
        await this.#give(event)
      }
      // Nothing happened since the journal was read, so from here on nothing can be missed.
      if (events.length < page && !this.#noticed) {
        this.#live = true
        return
      }
    }
  }

  async #next(): Promise<void> {
    const event = this.#queue.shift()
    if (event) {
      this.#queuedBytes -= event.data.length
      if (this.#source.cursorOf(event) > this.#cursor) await this.#give(event)
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    await promise
  }

  #give(event: JournalEvent): Promise<void> | undefined {
    this.#cursor = this.#source.cursorOf(event)
    return this.#sink.event(textOf(event), this.#cursor, event)
  }

  #checkKept(oldest: JournalEvent | undefined): void {
    if (!this.#source.gapless || !oldest) return
    const cursor = this.#source.cursorOf(oldest)
    if (cursor > this.#cursor + 1) this.#sink.reset(cursor)
  }

  #cut(reason: 'too-slow' | 'trouble', error?: unknown): void {
    if (this.#stopped) return
    this.stop()
    this.#sink.cut(reason, error)
  }
}

const texts = new WeakMap<JournalEvent, string>()

/** The event's JSON, made once however many readers it has. */
function textOf(event: JournalEvent): string {
  let text = texts.get(event)
  if (text === undefined) {
    text = cloudEvent(event)
    texts.set(event, text)
  }
  return text
}
