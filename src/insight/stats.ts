import type { Clock } from '../clock.ts'
import type { Store } from '../store/store.ts'
import { Figures } from './figures.ts'

const bookmark = 'stats'
const savedEveryMs = 5000
const batch = 1000

/**
 * The figures, kept up with the journal as it grows. A bookmark every few seconds saves a restart from counting all
 * again: it goes on from there.
 */
export class Stats implements AsyncDisposable {
  readonly #store: Store
  readonly #clock: Clock
  readonly #figures: Figures
  readonly #unfollow: () => void
  #position: number
  #saved: number
  #cancelSave: () => void = () => undefined

  private constructor(store: Store, clock: Clock, figures: Figures, position: number) {
    this.#store = store
    this.#clock = clock
    this.#figures = figures
    this.#position = position
    this.#saved = position
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
    const figures = new Figures(saved?.state)
    let position = saved?.position ?? 0
    for (;;) {
      const events = await store.journal(position, batch)
      for (const event of events) figures.add(event)
      position = events.at(-1)?.position ?? position
      if (events.length < batch) break
    }
    return new Stats(store, clock, figures, position)
  }

  read(): ReturnType<Figures['read']> {
    return this.#figures.read(this.#clock.now())
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
      .writeBookmark(bookmark, position, this.#figures.save())
      .then(() => true)
      .catch(() => false)
    if (written) this.#saved = position
  }
}
