import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import type { JournalEvent } from '../sessions/events.ts'
import type { Store } from '../store/store.ts'
import { Figures } from './figures.ts'

const bookmark = 'stats'
const savedEveryMs = 5000
const batch = 1000

/**
 * The figures, kept up with the journal as it grows. A bookmark every few seconds saves a restart from counting all
 * again: it goes on from there, and reads the five minutes before it for the sessions that were young then.
 */
export class Stats implements AsyncDisposable {
  readonly #store: Store
  readonly #clock: Clock
  readonly #figures: Figures
  readonly #unfollow: () => void
  /** Of the last event counted, and of the last one in the bookmark. */
  #position: number
  #saved: number
  #cancelSave: () => void = () => undefined

  private constructor(
    store: Store,
    clock: Clock,
    figures: Figures,
    { position, saved }: { position: number; saved: number },
  ) {
    this.#store = store
    this.#clock = clock
    this.#figures = figures
    this.#position = position
    this.#saved = saved
    this.#unfollow = store.follow((events) => {
      for (const event of events) {
        figures.add(event)
        this.#position = event.position
      }
    })
    this.#scheduleSave()
  }

  /** Catches up with the journal first; nothing may be committed meanwhile. */
  static async open(store: Store, clock: Clock): Promise<Stats> {
    const saved = await store.readBookmark(bookmark)
    const resumed = saved && Figures.resume(saved.state)
    const figures = resumed?.figures ?? new Figures()
    const counted = resumed ? saved.position : 0
    for await (const event of journalAfter(store, resumed?.youngAfter ?? 0)) {
      if (event.position > counted) break
      figures.recall(event)
    }
    figures.recalled()
    let position = counted
    for await (const event of journalAfter(store, counted)) {
      figures.add(event)
      position = event.position
    }
    return new Stats(store, clock, figures, { position, saved: counted })
  }

  /** Events that are not counted yet, a thousand at most, and when the oldest happened, epoch ms. */
  async backlog(): Promise<{ events: number; oldestAt: number | null }> {
    const end = await this.#store.lastPosition()
    if (this.#position >= end) return { events: 0, oldestAt: null }
    const next = await this.#store.journal(this.#position, batch)
    return { events: next.length, oldestAt: next[0]?.at ?? null }
  }

  read(): ReturnType<Figures['read']> {
    return this.#figures.read(this.#clock.now())
  }

  readLastHour(): ReturnType<Figures['readLastHour']> {
    return this.#figures.readLastHour(this.#clock.now())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelSave()
    this.#unfollow()
    await this.#save()
  }

  #scheduleSave(): void {
    this.#cancelSave = this.#clock.after(savedEveryMs, () => {
      void this.#save().finally(() => this.#scheduleSave())
    })
  }

  /** A bookmark that cannot be written costs a longer catch-up, nothing else. */
  async #save(): Promise<void> {
    if (this.#position === this.#saved || this.#store.trouble()) return
    const position = this.#position
    const written = await this.#store
      .writeBookmark(bookmark, position, this.#figures.save(position))
      .then(() => true)
      .catch(() => false)
    if (written) this.#saved = position
  }
}

async function* journalAfter(store: Store, after: number): AsyncGenerator<JournalEvent> {
  for (let position = after; ; ) {
    const events = await store.journal(position, batch)
    yield* events
    position = events.at(-1)?.position ?? position
    if (events.length < batch) return
    // Signals and timers are not to wait for the end of a long journal.
    await turn()
  }
}
