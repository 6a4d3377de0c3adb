/**
 * Where a gateway that made its own key leaves it for `npm run demo`: a file only its owner can read, gone when the
 * gateway stops.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export const handoverFile = 'data/running.json'

export interface Handover {
  url: string
  key: string
}

/** Returns how to take it back. */
export function leaveHandover(handover: Handover): () => void {
  mkdirSync(dirname(handoverFile), { recursive: true })
  writeFileSync(handoverFile, JSON.stringify(handover), { mode: 0o600 })
  return () => rmSync(handoverFile, { force: true })
}
