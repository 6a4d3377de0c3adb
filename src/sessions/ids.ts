import { randomFillSync } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

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

/** Asking the system for random bytes costs more than all the rest, so many are asked for at once. */
function randomBytes(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += 16
  return pool.subarray(used - 16, used)
}
