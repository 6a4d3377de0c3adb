import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** Ids made within the same moment may stand in another order than they were made in; so many places at most. */
const disorder = 2000

/**
 * Finds events by id without an index of ids, which every event would pay for: ids are made in time's order, so the
 * journal can be searched by halves.
 */
export class EventPositions {
  readonly #at: StatementSync
  readonly #near: StatementSync
  readonly #ends: StatementSync

  constructor(db: DatabaseSync) {
    this.#at = db.prepare(
      'SELECT position, id FROM events WHERE position >= ? ORDER BY position LIMIT 1',
    )
    this.#near = db.prepare(`
      SELECT position FROM events
      WHERE id = ?1 AND position BETWEEN ?2 - ${disorder} AND ?2 + ${disorder}`)
    this.#ends = db.prepare('SELECT min(position) AS first, max(position) AS last FROM events')
  }

  find(id: string): number | undefined {
    const ends = this.#ends.get()
    let low = Number(ends?.first ?? 0)
    let high = Number(ends?.last ?? 0)
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const event = this.#at.get(middle)
      if (event === undefined || String(event.id) >= id) high = middle
      else low = Number(event.position) + 1
    }
    const found = this.#near.get(id, low)
    return found === undefined ? undefined : Number(found.position)
  }
}
