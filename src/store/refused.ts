import { isBusy, isDamage, reasonOf } from './sqlite-errors.ts'

/** The store does not open this file, and has left it as it found it. */
export class StoreRefused extends Error {
  override readonly name = 'StoreRefused'
  readonly file: string
  /** Why, and what to do about it, in one line. */
  readonly reason: string

  constructor(file: string, reason: string, options?: ErrorOptions) {
    super(`Cannot use ${file} as the store: ${reason}`, options)
    this.file = file
    this.reason = reason
  }
}

/** The refusal for whatever went wrong with the file. */
export function refusal(file: string, cause: unknown): StoreRefused {
  if (cause instanceof StoreRefused) return cause
  if (isBusy(cause)) return new StoreRefused(file, 'another process is using it', { cause })
  if (isDamage(cause)) return damaged(file, reasonOf(cause), { cause })
  return new StoreRefused(file, reasonOf(cause), { cause })
}

export function damaged(file: string, what: string, options?: ErrorOptions): StoreRefused {
  return new StoreRefused(file, `it is damaged (${what}); restore it from a backup`, options)
}
