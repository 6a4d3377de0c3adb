import type { Clock } from '../clock.ts'
import type { JournalEvent } from '../sessions/events.ts'
import type { Store } from '../store/store.ts'
import { payloadOf } from './formats.ts'
import type { Receipt, Receivers } from './receiver.ts'
import { maxAttempts, retryDelayMs } from './retry-times.ts'
import { signatureHeaders } from './signature.ts'
import type { Attempt, Progress, Webhook } from './webhook.ts'

export interface DestinationDeps {
  store: Store
  clock: Clock
  receivers: Pick<Receivers, 'deliver'>
  /** The secrets that sign now, newest first. */
  secretsOf(webhook: Webhook): string[]
  guestOf: Parameters<typeof payloadOf>[2]
  /** The receiver said 410. */
  onGone(webhookId: string): void
  onTrouble(webhookId: string, error: unknown): void
}

const page = 100
const keptAttempts = 200
const keptDeadLetters = 1000
const savedEveryMs = 1000
/** Without news; only so that what was delivered last is written down. */
const idleMs = 2000

/**
 * One place events are delivered to, in the journal's order, one at a time, at least once. What it has delivered is a
 * place in the journal, written down every second and after every failure; a crash repeats at most what came since.
 */
export class Destination {
  readonly #deps: DestinationDeps
  #webhook: Webhook
  #progress: Progress
  #stopped = false
  #savedPosition: number
  #savedAt = 0
  #wake: () => void = () => undefined
  /** Something may have happened since the journal was last read. */
  #noticed = false
  #running: Promise<void> | undefined

  constructor(webhook: Webhook, progress: Progress, deps: DestinationDeps) {
    this.#webhook = webhook
    this.#progress = progress
    this.#savedPosition = progress.position
    this.#deps = deps
  }

  get webhook(): Webhook {
    return this.#webhook
  }

  get progress(): Readonly<Progress> {
    return this.#progress
  }

  /** Its settings changed. */
  update(webhook: Webhook): void {
    this.#webhook = webhook
    this.notice()
  }

  start(): void {
    this.#running ??= this.#run().catch((error: unknown) =>
      this.#deps.onTrouble(this.#webhook.id, error),
    )
  }

  /** There may be something new. */
  notice(): void {
    this.#noticed = true
    this.#wake()
  }

  /** Goes back to deliver the event at `position` and all after it again. */
  async replayFrom(position: number): Promise<void> {
    this.#progress = { ...this.#progress, position: position - 1, failing: null }
    await this.#save()
    this.notice()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#running
    await this.#save()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#noticed = false
      const from = this.#progress.position
      const events = this.#webhook.disabledReason ? [] : await this.#deps.store.journal(from, page)
      for (const event of events) {
        // Somebody asked for a replay meanwhile: the journal is read again from there.
        if (this.#stopped || this.#webhook.disabledReason || this.#progress.position < from) break
        await this.#bring(event)
        await this.#saveIfDue()
      }
      if (events.length === 0 && !this.#noticed && !this.#stopped) {
        await this.#saveIfDue()
        await this.#pause(idleMs)
      }
    }
  }

  /** Returns when the event is delivered, given up, or the destination stops or moves. */
  async #bring(event: JournalEvent): Promise<void> {
    const { position } = this.#progress
    const wanted = this.#webhook.eventTypes
    const payload =
      wanted.length > 0 && !wanted.includes(event.type)
        ? undefined
        : await payloadOf(event, this.#webhook.format, this.#deps.guestOf)
    if (!payload) return this.#advance(event)
    while (
      !this.#stopped &&
      this.#progress.position === position &&
      !this.#webhook.disabledReason
    ) {
      const { failing } = this.#progress
      const wait = failing?.eventId === event.id ? failing.nextAt - this.#deps.clock.now() : 0
      if (wait > 0) {
        await this.#pause(wait)
        continue
      }
      const attempts = (failing?.eventId === event.id ? failing.attempts : 0) + 1
      const receipt = await this.#deliver(event, payload)
      this.#note(event, receipt, attempts)
      if (receipt.receipt.kind === 'answered' && isSuccess(receipt.receipt.status)) {
        return this.#advance(event)
      }
      if (receipt.receipt.kind === 'answered' && receipt.receipt.status === 410) {
        this.#deps.onGone(this.#webhook.id)
        return
      }
      await this.#failed(event, attempts, receipt.receipt)
    }
  }

  async #deliver(event: JournalEvent, payload: { contentType: string; body: string }) {
    const { url, headers } = this.#webhook
    const at = new Date(this.#deps.clock.now())
    const signed = signatureHeaders(this.#deps.secretsOf(this.#webhook), event.id, at, payload.body)
    const started = performance.now()
    const receipt = await this.#deps.receivers.deliver({
      url,
      headers: {
        ...headers,
        'content-type': payload.contentType,
        'user-agent': 'genesys-guest-gateway',
        'x-source': 'genesys-guest-gateway',
        ...(event.trace && { traceparent: event.trace }),
        ...signed,
      },
      body: payload.body,
    })
    return { receipt, durationMs: Math.round(performance.now() - started) }
  }

  #note(
    event: JournalEvent,
    { receipt, durationMs }: { receipt: Receipt; durationMs: number },
    attempt: number,
  ) {
    const noted: Attempt = {
      eventId: event.id,
      type: event.type,
      at: this.#deps.clock.now(),
      status: receipt.kind === 'answered' ? receipt.status : null,
      error: receipt.kind === 'unanswered' ? receipt.error : null,
      durationMs,
      attempt,
    }
    this.#progress.attempts = [...this.#progress.attempts.slice(1 - keptAttempts), noted]
  }

  async #failed(event: JournalEvent, attempts: number, receipt: Receipt): Promise<void> {
    const { clock } = this.#deps
    const now = clock.now()
    const since = this.#progress.failing?.eventId === event.id ? this.#progress.failing.since : now
    const delay = retryDelayMs(attempts)
    if (delay === undefined || attempts >= maxAttempts) {
      const error = receipt.kind === 'answered' ? `answered ${receipt.status}` : receipt.error
      const letter = {
        eventId: event.id,
        type: event.type,
        position: event.position,
        at: now,
        attempts,
        error,
      }
      this.#progress.deadLetters = [
        ...this.#progress.deadLetters.slice(1 - keptDeadLetters),
        letter,
      ]
      this.#advance(event)
    } else {
      const asked = receipt.kind === 'answered' ? (receipt.retryAfterSeconds ?? 0) * 1000 : 0
      const nextAt = now + Math.max(delay, Math.min(asked, 3_600_000))
      this.#progress.failing = { eventId: event.id, attempts, since, nextAt }
    }
    await this.#save()
  }

  #advance(event: JournalEvent): void {
    this.#progress = { ...this.#progress, position: event.position, failing: null }
  }

  async #saveIfDue(): Promise<void> {
    const due = this.#deps.clock.now() - this.#savedAt >= savedEveryMs
    if (due && this.#progress.position !== this.#savedPosition) await this.#save()
  }

  async #save(): Promise<void> {
    const { position } = this.#progress
    try {
      await this.#deps.store.writeBookmark(
        bookmarkOf(this.#webhook.id),
        position,
        JSON.stringify(this.#progress),
      )
      this.#savedPosition = position
      this.#savedAt = this.#deps.clock.now()
    } catch (error) {
      // Delivering again what was delivered is what a receiver must expect anyway.
      this.#deps.onTrouble(this.#webhook.id, error)
    }
  }

  #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#deps.clock.after(ms, resolve)
    this.#wake = resolve
    return promise.finally(cancel)
  }
}

export function bookmarkOf(webhookId: string): string {
  return `webhook ${webhookId}`
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
