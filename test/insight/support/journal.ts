import type { TestGateway } from '../../support/gateway.ts'
import { openSse, type SseReader } from '../../support/sse.ts'
import { until } from '../../support/until.ts'
import type { CountedEvent } from './recount.ts'

type Watched = Pick<TestGateway, 'url' | 'api'>

/** All that a store's journal ever had, as `GET /v1/events` gives it, over restarts. */
export class Journal {
  readonly #before: CountedEvent[] = []
  #reader: SseReader
  #gateway: Watched
  #marks = 0
  /** The session that marks are made on. */
  readonly #marked: string

  private constructor(gateway: Watched, reader: SseReader, marked: string) {
    this.#gateway = gateway
    this.#reader = reader
    this.#marked = marked
  }

  /** Of a gateway that has just begun. */
  static async open(gateway: Watched): Promise<Journal> {
    const reader = await openSse(`${gateway.url}/v1/events?after=0`)
    const { body } = await gateway.api('POST', '/v1/sessions', { guest: { name: 'Mark' } })
    return new Journal(gateway, reader, body.id)
  }

  /** Every event up to now. A mark is made, which changes no figure, and waited for. */
  async events(): Promise<CountedEvent[]> {
    this.#marks += 1
    const consent = { marketing: true, personalization: true, analytics: true }
    const { status } = await this.#gateway.api(
      'PUT',
      `/v1/sessions/${this.#marked}/consent`,
      consent,
    )
    if (status !== 200) throw new Error(`no mark could be made: ${status}`)
    return until('the mark is in the journal', () => {
      const all = this.#all()
      const marks = all.filter(({ type }) => type === 'session.consent_changed')
      return marks.length === this.#marks && all
    })
  }

  /** Reads no more of this gateway. */
  pause(): void {
    this.#reader.close()
  }

  /** Goes on with the next process on the same store. */
  async resume(gateway: Watched): Promise<void> {
    this.#before.splice(0, this.#before.length, ...this.#all())
    const headers = { 'last-event-id': this.#reader.lastId }
    this.#gateway = gateway
    this.#reader = await openSse(`${gateway.url}/v1/events`, { headers })
  }

  #all(): CountedEvent[] {
    const stored = this.#reader.events.filter(({ data }) => data.sequence !== undefined)
    return [...this.#before, ...stored.map(({ data }) => data as CountedEvent)]
  }
}
