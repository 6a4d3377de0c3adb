import { setImmediate as nextTurn } from 'node:timers/promises'
import type { JournalEvent } from '../../sessions/events.ts'

/** One reader's line to its client. */
export interface Sink {
  /** Writes one event, and what to resume from. A promise asks to wait before the next. */
  event(event: JournalEvent, cursor: number): Promise<void> | undefined
  /** What follows the client's cursor is not kept, or never was; the next event is at `oldest`. */
  reset(oldest: number): void
  /** Everything there is has been written; again each time it is so. */
  idle(): void
  /** The reader did not keep up, or the journal could not be read. Nothing comes after. */
  cut(reason: 'too-slow' | 'trouble', error?: unknown): void
}

/** Where events come from: a session's journal, or all of it. */
export interface Source {
  /** Events after the cursor, in order. */
  read(after: number, limit: number): Promise<JournalEvent[]>
  /** Cursor of the newest event; 0 when there is none. */
  newest(): Promise<number>
  /** Calls with every later event. Returns the way to stop. */
  follow(listener: (event: JournalEvent) => void): () => void
  cursorOf(event: JournalEvent): number
  /** Cursors are numbered without gaps, so a missing one shows. */
  gapless: boolean
}

/** Events read at once: few at first, for they may be large. */
const firstPage = 16
const maxPage = 256
export const maxQueuedBytes = 1024 * 1024

/**
 * Gives one client every event after `after`, once, in order: from the journal until it has caught up, then as they
 * happen. A client that is slower than what happens is cut once a megabyte waits for it; it can come back with the
 * last cursor it saw. One that is still catching up may take its time. Returns the way to stop.
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
  /** The cursor names no event of this journal. */
  #lost = false
  #stopped = false
  /** Behind: events are only noticed, and read from the journal. Live: they are queued as they happen. */
  #live = false
  #noticed = false
  #page = firstPage
  #queue: JournalEvent[] = []
  #queuedBytes = 0
  /** The client has not taken the last event yet. */
  #waiting = false

  constructor(source: Source, after: number, sink: Sink) {
    this.#source = source
    this.#sink = sink
    this.#cursor = after
    this.#unfollow = source.follow((event) => this.#happened(event))
  }

  /** Returns once it is live, or stopped. */
  async run(): Promise<void> {
    try {
      await this.#checkCursor()
      while (!this.#stopped && !this.#live) await this.#catchUp()
      if (!this.#stopped) this.#sink.idle()
    } catch (error) {
      this.#cut('trouble', error)
    }
  }

  stop(): void {
    this.#stopped = true
    this.#unfollow()
    this.#queue = []
  }

  #happened(event: JournalEvent): void {
    this.#noticed = true
    if (!this.#live) return
    if (!this.#waiting) {
      this.#giveInTurn(event)
      return
    }
    this.#queue.push(event)
    this.#queuedBytes += event.data.length
    if (this.#queuedBytes > maxQueuedBytes) this.#cut('too-slow')
  }

  /** A cursor beyond the newest event is of a journal that is gone; waiting for it would skip all that comes first. */
  async #checkCursor(): Promise<void> {
    if (this.#cursor === 0 || this.#cursor <= (await this.#source.newest())) return
    this.#cursor = 0
    this.#lost = true
  }

  async #catchUp(): Promise<void> {
    this.#noticed = false
    const events = await this.#source.read(this.#cursor, this.#page)
    const isAll = events.length < this.#page
    const room = this.#givePage(events)
    if (room) return room
    // Nothing happened since the journal was read, so from here on nothing can be missed.
    this.#live = isAll && !this.#noticed
    // A long history is read in turns with everybody else.
    if (!this.#live) await nextTurn()
  }

  /** Stops at the first event that asks to wait, and lets go of the rest: who knows how long they would be kept. */
  #givePage(events: JournalEvent[]): Promise<void> | undefined {
    for (const [index, event] of events.entries()) {
      if (this.#stopped) return undefined
      const room = this.#give(event)
      if (!room) continue
      this.#page = index + 1
      events.length = 0
      return room
    }
    this.#page = Math.min(2 * this.#page, maxPage)
    return undefined
  }

  /** Gives an event and what is queued; once the client asks to wait, the rest when it has room. */
  #giveInTurn(first = this.#queued()): void {
    try {
      for (let event = first; event; event = this.#queued()) {
        if (this.#source.cursorOf(event) <= this.#cursor) continue
        const room = this.#give(event)
        if (room) {
          this.#giveMoreAfter(room)
          return
        }
      }
      if (!this.#stopped) this.#sink.idle()
    } catch (error) {
      this.#cut('trouble', error)
    }
  }

  #queued(): JournalEvent | undefined {
    const event = this.#queue.shift()
    if (event) this.#queuedBytes -= event.data.length
    return event
  }

  #giveMoreAfter(room: Promise<void>): void {
    this.#waiting = true
    void room.then(() => {
      this.#waiting = false
      this.#giveInTurn()
    })
  }

  #give(event: JournalEvent): Promise<void> | undefined {
    const cursor = this.#source.cursorOf(event)
    const follows = !this.#source.gapless || cursor === this.#cursor + 1
    if (this.#lost || !follows) this.#sink.reset(cursor)
    this.#lost = false
    this.#cursor = cursor
    return this.#sink.event(event, cursor)
  }

  #cut(reason: 'too-slow' | 'trouble', error?: unknown): void {
    if (this.#stopped) return
    this.stop()
    this.#sink.cut(reason, error)
  }
}
