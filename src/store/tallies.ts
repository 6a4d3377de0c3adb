import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Tally } from './store.ts'

/** Counts by name and slot, for readers that must know after a crash how much they had done. */
export class Tallies {
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #forget: StatementSync
  readonly #read: StatementSync

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO tallies (name, slot, count) VALUES (?, ?, ?)')
    this.#update = db.prepare('UPDATE tallies SET count = ? WHERE name = ? AND slot = ?')
    this.#forget = db.prepare('DELETE FROM tallies WHERE name = ? AND slot < ?')
    this.#read = db.prepare('SELECT name, slot, count FROM tallies ORDER BY name, slot')
  }

  /** Inside a transaction. */
  write({ name, slot, count }: Tally, forgetBefore: number): void {
    if (this.#update.run(count, name, slot).changes > 0) return
    this.#insert.run(name, slot, count)
    // Once a slot is often enough.
    this.#forget.run(name, forgetBefore)
  }

  all(): Tally[] {
    return this.#read.all().map(({ name, slot, count }) => ({
      name: String(name),
      slot: Number(slot),
      count: Number(count),
    }))
  }
}
