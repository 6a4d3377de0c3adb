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
