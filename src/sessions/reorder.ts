import type { InboundMessage } from '../genesys/dialect.ts'

/** How long a message is held once disorder has shown, and how long that is remembered. */
const holdMs = 250
const disorderRememberedMs = 60_000
const maxHeld = 100

/**
 * Puts inbound messages in the order of the platform's own times. While nothing is out of order nothing is held; once
 * a message came late, the next ones are held a quarter of a second so that they can be sorted.
 */
export class Reorder {
  #held: InboundMessage[] = []
  #lastSentAt = 0
  #disorderAt = Number.NEGATIVE_INFINITY
  readonly #release: (message: InboundMessage) => void
  readonly #after: (ms: number, run: () => void) => () => void
  #cancel: (() => void) | undefined

  constructor(
    release: (message: InboundMessage) => void,
    after: (ms: number, run: () => void) => () => void,
  ) {
    this.#release = release
    this.#after = after
  }

  /** `now`: epoch ms of arrival. Frames that arrive together are sorted together. */
  add(message: InboundMessage, now: number): void {
    this.#held.push(message)
    const late = message.sentAt !== null && message.sentAt < this.#lastSentAt
    const unsorted = this.#held.some((held) => before(message, held))
    if (late || unsorted) this.#disorderAt = now
    const holds = now - this.#disorderAt < disorderRememberedMs
    if (this.#held.length > maxHeld) this.flush()
    else this.#cancel ??= this.#after(holds ? holdMs : 0, () => this.flush())
  }

  /** Lets go of everything held, in order. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const sorted = this.#held.toSorted((a, b) => (before(a, b) ? -1 : before(b, a) ? 1 : 0))
    this.#held = []
    for (const message of sorted) {
      if (message.sentAt !== null) this.#lastSentAt = Math.max(this.#lastSentAt, message.sentAt)
      this.#release(message)
    }
  }
}

/** Messages without a time keep their place of arrival. */
function before(a: InboundMessage, b: InboundMessage): boolean {
  return a.sentAt !== null && b.sentAt !== null && a.sentAt < b.sentAt
}
