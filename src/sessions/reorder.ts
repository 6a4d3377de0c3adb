import type { InboundMessage } from '../genesys/dialect.ts'
import type { Inbox } from './inbox.ts'

/** How long a message is held once disorder has shown, and how long that is remembered. */
const holdMs = 250
const disorderRememberedMs = 60_000
const maxHeld = 100
/** How long what is new waits for what was missed, and how much of it. */
const waitMs = 5_000
const maxWaiting = 1000

interface Held {
  message: InboundMessage
  /** The platform's time; of a message without one, that of the one it came after. */
  order: number
  /** When it is let go, with all that belongs before it. */
  dueAt: number
}

/**
 * Puts inbound messages in the order of the platform's own times. While nothing is out of order nothing is held; once
 * a message came late, each of the next ones is held a quarter of a second so that those before it can overtake it.
 */
export class Reorder {
  /** In order. */
  #held: Held[] = []
  #lastArrived = Number.NEGATIVE_INFINITY
  #lastReleased = Number.NEGATIVE_INFINITY
  #disorderAt = Number.NEGATIVE_INFINITY
  #waits = false
  #armedFor = Number.POSITIVE_INFINITY
  #cancel: (() => void) | undefined
  #cancelWait: (() => void) | undefined
  readonly #inbox: Pick<Inbox<InboundMessage>, 'put'>
  readonly #after: (ms: number, run: () => void) => () => void

  /** What is in order goes to `inbox`. `after` with 0 ms: once the frames that arrived together have been read. */
  constructor(
    inbox: Pick<Inbox<InboundMessage>, 'put'>,
    after: (ms: number, run: () => void) => () => void,
  ) {
    this.#inbox = inbox
    this.#after = after
  }

  /** `now`: epoch ms of arrival. Frames that arrive together are sorted together. */
  add(message: InboundMessage, now: number): void {
    const order = message.sentAt ?? this.#lastArrived
    this.#lastArrived = order
    const place = this.#held.findLastIndex((held) => held.order <= order) + 1
    if (place < this.#held.length || order < this.#lastReleased) this.#noteDisorder(now)
    const dueAt = now + (this.#holds(now) ? holdMs : 0)
    this.#held.splice(place, 0, { message, order, dueAt })
    if (this.#held.length > (this.#waits ? maxWaiting : maxHeld)) this.flush()
    else if (!this.#waits && dueAt < this.#armedFor) this.#arm(now, dueAt)
  }

  /** What was missed is being asked for: nothing is let go until `goOn`, or for five seconds. */
  wait(): void {
    this.#disarm()
    this.#cancelWait?.()
    this.#waits = true
    this.#cancelWait = this.#after(waitMs, () => this.goOn())
  }

  goOn(): void {
    if (this.#waits) this.flush()
  }

  /** Lets go of everything held, in order. */
  flush(): void {
    this.#waits = false
    this.#cancelWait?.()
    this.#disarm()
    this.#letGo(this.#held.length)
  }

  #holds(now: number): boolean {
    return now - this.#disorderAt < disorderRememberedMs
  }

  /** What is still here of those that came before it is held as long: more may belong before them. */
  #noteDisorder(now: number): void {
    if (!this.#holds(now)) {
      for (const held of this.#held) held.dueAt = now + holdMs
      this.#disarm()
    }
    this.#disorderAt = now
  }

  #arm(now: number, dueAt: number): void {
    this.#disarm()
    this.#armedFor = dueAt
    this.#cancel = this.#after(dueAt - now, () => {
      this.#cancel = undefined
      this.#armedFor = Number.POSITIVE_INFINITY
      this.#letGo(this.#held.findLastIndex((held) => held.dueAt <= dueAt) + 1)
      const next = Math.min(...this.#held.map((held) => held.dueAt))
      if (this.#held.length > 0) this.#arm(dueAt, next)
    })
  }

  #disarm(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  #letGo(count: number): void {
    const free = this.#held.slice(0, count)
    this.#held = this.#held.slice(count)
    const last = free.at(-1)
    if (!last) return
    this.#lastReleased = last.order
    this.#inbox.put(free.map(({ message }) => message))
  }
}
