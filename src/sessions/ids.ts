import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'
import type { Store } from '../store/store.ts'

const pool = new Uint8Array(16 * 256)
let used = pool.length
let lastMs = 0
let sequence = 0

/**
 * A new id of a kind: its prefix and a UUIDv7, so ids of a kind sort by the time they were made, also within a
 * millisecond.
 */
export function newId(prefix: 'gs' | 'msg' | 'evt' | 'whk'): string {
  const random = randomBytes()
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    // With the highest bit clear there is room to count up.
    sequence = new DataView(random.buffer, random.byteOffset).getUint32(0) & 0x7fffffff
  } else sequence += 1
  return `${prefix}_${uuidv7({ random, msecs: lastMs, seq: sequence })}`
}

/**
 * Ids made from now on sort after those of the journal, though the clock was set back meanwhile: it is searched by them.
 */
export async function continueIds(store: Pick<Store, 'journal' | 'lastPosition'>): Promise<void> {
  const [newest] = await store.journal((await store.lastPosition()) - 1, 1)
  if (newest) lastMs = Math.max(lastMs, msOf(newest.id) + 1)
}

/** The moment in an id, epoch ms; 0 for what is none of ours. */
function msOf(id: string): number {
  return Number.parseInt(id.slice(-36).replace('-', '').slice(0, 12), 16) || 0
}

/** Asking the system for random bytes costs more than all the rest, so many are asked for at once. */
function randomBytes(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}
