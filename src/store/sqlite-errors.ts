/** What SQLite's errors mean here. The only file that knows its codes. */
import { StoreUnavailable } from './store.ts'

const codes = {
  error: 1,
  busy: 5,
  corrupt: 11,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  range: 25,
  notADatabase: 26,
} as const

/** These say that what was asked is wrong; all others that the engine cannot do it now. */
const ours: readonly number[] = [
  codes.error,
  codes.tooBig,
  codes.constraint,
  codes.mismatch,
  codes.range,
]

function codeOf(error: unknown): number | undefined {
  const extended = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof extended === 'number' ? extended & 0xff : undefined
}

/** Disk full, I/O error, damaged file and the like: no fault of the one change that met it. */
export function isEngineTrouble(error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && !ours.includes(code)
}

export function isBusy(error: unknown): boolean {
  return codeOf(error) === codes.busy
}

/** While a database is opened: when our own statements do not fit it, somebody took parts of it away. */
export function isDamage(error: unknown): boolean {
  const code = codeOf(error)
  return code === codes.corrupt || code === codes.notADatabase || code === codes.error
}

/** The engine's own words, on one line. */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ')
}

/** The same error when it is not the engine's. */
export function translated(error: unknown): unknown {
  return isEngineTrouble(error) ? new StoreUnavailable(reasonOf(error), { cause: error }) : error
}
