/**
 * Messages, each counted once, by how it stands: one that failed and was sent when it was tried again is sent, and no
 * longer failed. So what was accepted and is nowhere else is still on its way.
 */
import type { JournalEvent } from '../sessions/events.ts'

type Trouble = 'failed' | 'unconfirmed'

export interface MessageCountsState {
  accepted: number
  sent: number
  failed: number
  unconfirmed: number
  received: number
  /** Oldest first. */
  troubled: [messageId: string, Trouble][]
}

/**
 * Of so many messages in trouble, the newest, it is known which they are. One that is tried again after so many others
 * failed counts as accepted once more, and stays failed.
 */
const maxTroubled = 10_000

export class MessageCounts {
  readonly #counts: Omit<MessageCountsState, 'troubled'>
  readonly #troubled: Map<string, Trouble>

  constructor(state?: MessageCountsState) {
    const { troubled = [], ...counts } = state ?? none()
    this.#counts = counts
    this.#troubled = new Map(troubled)
  }

  /** True for the first acceptance of a message. */
  accept({ messageId }: JournalEvent): boolean {
    if (this.#recovers(messageId)) return false
    this.#counts.accepted += 1
    return true
  }

  send({ messageId }: JournalEvent): void {
    // What nobody could say of an unconfirmed one may become known.
    this.#recovers(messageId)
    this.#counts.sent += 1
  }

  receive(): void {
    this.#counts.received += 1
  }

  trouble(trouble: Trouble, { messageId }: JournalEvent): void {
    this.#counts[trouble] += 1
    if (messageId === null) return
    this.#troubled.set(messageId, trouble)
    const [oldest] = this.#troubled.size > maxTroubled ? this.#troubled.keys() : []
    if (oldest !== undefined) this.#troubled.delete(oldest)
  }

  read() {
    return { ...this.#counts }
  }

  /** From 0 to 1; 0 while nothing was sent and nothing failed. */
  deliveryRate(): number {
    const { sent, failed } = this.#counts
    return sent + failed === 0 ? 0 : sent / (sent + failed)
  }

  save(): MessageCountsState {
    return { ...this.#counts, troubled: [...this.#troubled] }
  }

  #recovers(messageId: string | null): boolean {
    const before = messageId === null ? undefined : this.#troubled.get(messageId)
    if (messageId === null || before === undefined) return false
    this.#troubled.delete(messageId)
    this.#counts[before] -= 1
    return true
  }
}

function none(): MessageCountsState {
  return { accepted: 0, sent: 0, failed: 0, unconfirmed: 0, received: 0, troubled: [] }
}
