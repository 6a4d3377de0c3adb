import { v7 as uuidv7 } from 'uuid'

/** A new id of a kind: its prefix and a UUIDv7, so ids of a kind sort by the time they were made. */
export function newId(prefix: 'gs' | 'msg' | 'evt' | 'whk'): string {
  return `${prefix}_${uuidv7()}`
}
