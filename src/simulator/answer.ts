/** What an operation or an upgrade is answered with. */
export interface Answer {
  readonly status: number
  /** Sent as JSON, or as it is. */
  readonly body?: object
  /** Instead of a body: the platform's error body, which gets its `contextId` on the way out. */
  readonly error?: object
  readonly headers?: Readonly<Record<string, string>>
}
