/**
 * Cursors: where a page ended, as base64url JSON with a checksum over the list it belongs to. So one that was made up,
 * changed, or taken from another list is told from ours, and they need no memory.
 */
import { createHash } from 'node:crypto'
import { InvalidCursor, type Page } from './store.ts'

/**
 * The page of what was read: one more than `limit` where there is more. `list` says which list and with what filter,
 * `placeOf` where in it an item stands.
 */
export function pageOf<T>(
  list: string,
  found: readonly T[],
  limit: number,
  placeOf: (item: T) => readonly number[],
): Page<T> {
  const items = found.slice(0, limit)
  const last = items.at(-1)
  const hasMore = found.length > limit && last !== undefined
  return { items, nextCursor: hasMore ? writeCursor(list, placeOf(last)) : null }
}

function writeCursor(list: string, place: readonly number[]): string {
  const sum = createHash('sha256')
    .update(JSON.stringify([list, place]))
    .digest('base64url')
  return Buffer.from(JSON.stringify([...place, sum.slice(0, 12)])).toString('base64url')
}

/** Where the page before ended. Throws InvalidCursor. */
export function readCursor(list: string, cursor: string): number[] {
  const place = placeIn(cursor)
  if (place && writeCursor(list, place) === cursor) return place
  throw new InvalidCursor('This cursor does not belong to this list')
}

function placeIn(cursor: string): number[] | undefined {
  try {
    const content: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (!Array.isArray(content)) return undefined
    return content.slice(0, -1).map(Number)
  } catch {
    return undefined
  }
}
