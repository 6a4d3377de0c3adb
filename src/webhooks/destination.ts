import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { eventTrace, type JournalEvent } from '../sessions/events.ts'
import type { Store } from '../store/store.ts'
import type { Tracer } from '../tracing.ts'
import { endDeliverySpan, startDeliverySpan } from './delivery-span.ts'
import { isToldOf, type Payload, payloadOf } from './formats.ts'
import { deliveryHeaders } from './headers.ts'
import { advanced, afterFailure, failureOf, withAttempt } from './progress.ts'
import type { Receipt, Receivers } from './receiver.ts'
import type { Progress, Webhook } from './webhook.ts'

export interface DestinationDeps {
  store: Store
  clock: Clock
  receivers: Pick<Receivers, 'deliver'>
  /** The secrets that sign now, newest first. */
  secretsOf(webhook: Webhook): string[]
  tracer?: Tracer | undefined
  guestOf: Parameters<typeof payloadOf>[2]
  /** The receiver said 410. */
  onGone(webhookId: string): void
  onTrouble(webhookId: string, error: unknown): void
  onNotice(webhookId: string, text: string, fields?: object): void
}

const page = 100
const savedEveryMs = 1000
/** Without news; only so that what was delivered last is written down. */
const idleMs = 2000
/** Before the journal is read again that could not be read. */
const troubleMs = 2000
/** What is on its way when the process stops gets so long to be answered. */
const stopGraceMs = 1000

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
  /** So was the journal, since. */
  #isRewritten = false
  #running: Promise<void> | undefined
  /** The delivery that is on its way. */
  #flight = new AbortController()
  /** How often it was sent back in the journal: what was on its way then no longer says where it is. */
  #moves = 0
  readonly #ending = new AbortController()

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
    this.#running ??= this.#run()
  }

  /** The journal was rewritten: what was read of it and is not on its way yet is not delivered as it was. */
  readAgain(): void {
    this.#isRewritten = true
  }

  /** There may be something new. */
  notice(): void {
    this.#noticed = true
    this.#wake()
  }

  /** Delivers the event at `position` and all after it, again where they were delivered. Nothing is skipped by it. */
  async replayFrom(position: number): Promise<void> {
    const back = Math.min(position - 1, this.#progress.position)
    this.#progress = { ...this.#progress, position: back, failing: null }
    this.#moves += 1
    this.notice()
    await this.#save()
  }

  /** A delivery that is not answered soon is broken off, and made again when the destination is taken up again. */
  async stop(): Promise<void> {
    const cancel = this.#deps.clock.after(stopGraceMs, () => this.#flight.abort())
    await this.#end().finally(cancel)
    await this.#save()
  }

  /** Stops at once, for good. */
  async drop(): Promise<void> {
    this.#flight.abort()
    await this.#end()
  }

  async #end(): Promise<void> {
    this.#stopped = true
    this.#ending.abort()
    this.#wake()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#round()
      } catch (error) {
        this.#deps.onTrouble(this.#webhook.id, error)
        await this.#deps.clock.sleep(troubleMs, this.#ending.signal).catch(() => undefined)
      }
    }
  }

  /** One page of the journal, or a rest when there is nothing in it. */
  async #round(): Promise<void> {
    this.#noticed = false
    this.#isRewritten = false
    const moves = this.#moves
    const events = this.#isOff ? [] : await this.#deps.store.journal(this.#progress.position, page)
    for (const event of events) {
      if (this.#isOff || this.#moves !== moves || this.#isRewritten) return
      await this.#bring(event, moves)
      // What waits is read again: it may have been rewritten meanwhile.
      if (this.#progress.position < event.position) return
      await this.#saveIfDue()
    }
    // A long journal of events that are not wanted would otherwise be gone through in one turn of the event loop.
    if (events.length > 0) return turn()
    await this.#saveIfDue()
    if (!this.#noticed && !this.#stopped) await this.#pause(idleMs)
  }

  get #isOff(): boolean {
    return this.#stopped || this.#webhook.disabledReason !== null
  }

  /** Returns when the event is delivered, given up or due again, or the destination stops or moves. */
  async #bring(event: JournalEvent, moves: number): Promise<void> {
    const payload = isToldOf(this.#webhook, event.type)
      ? await payloadOf(event, this.#webhook.format, this.#deps.guestOf)
      : undefined
    const isNext = () => this.#moves === moves && this.#progress.position < event.position
    if (!payload && isNext()) return this.#advance(event)
    let hasWaited = false
    while (payload && isNext() && !this.#isOff) {
      const failing = failureOf(this.#progress, event)
      const wait = failing ? failing.nextAt - this.#deps.clock.now() : 0
      if (wait <= 0 && hasWaited) return
      hasWaited = wait > 0
      if (wait > 0) await this.#pause(wait)
      else await this.#try(event, payload, (failing?.attempts ?? 0) + 1, moves)
    }
  }

  async #try(event: JournalEvent, payload: Payload, attempt: number, moves: number) {
    const started = performance.now()
    const receipt = await this.#deliver(event, payload, attempt)
    // Broken off by us: it says nothing about the receiver.
    if (receipt.kind === 'unanswered' && this.#flight.signal.aborted) return
    const at = this.#deps.clock.now()
    const durationMs = Math.round(performance.now() - started)
    this.#progress = withAttempt(this.#progress, event, receipt, { at, durationMs, attempt })
    const status = receipt.kind === 'answered' ? receipt.status : null
    if (status === 410) this.#deps.onGone(this.#webhook.id)
    else if (this.#moves !== moves) return
    else if (status !== null && status >= 200 && status < 300) this.#advance(event)
    else await this.#fail(event, receipt, attempt)
  }

  async #deliver(event: JournalEvent, payload: Payload, attempt: number): Promise<Receipt> {
    const { clock, receivers, secretsOf, tracer } = this.#deps
    this.#flight = new AbortController()
    const { signal } = this.#flight
    const { url } = this.#webhook
    const span = tracer && startDeliverySpan(tracer, this.#webhook, event, attempt)
    const headers = deliveryHeaders(this.#webhook, event, payload, {
      secrets: secretsOf(this.#webhook),
      at: new Date(clock.now()),
      trace: span?.trace ?? eventTrace(event),
    })
    const receipt = await receivers.deliver({ url, headers, body: payload.body, signal })
    if (span) endDeliverySpan(span, receipt)
    return receipt
  }

  async #fail(event: JournalEvent, receipt: Receipt, attempts: number): Promise<void> {
    const now = this.#deps.clock.now()
    const { progress, deadLetter } = afterFailure(this.#progress, event, receipt, attempts, now)
    this.#progress = progress
    if (deadLetter) {
      const { eventId, type, error } = deadLetter
      const fields = { eventId, type, attempts, reason: error }
      this.#deps.onNotice(
        this.#webhook.id,
        'a webhook gave up on an event: it is a dead letter',
        fields,
      )
    }
    await this.#save()
  }

  #advance(event: JournalEvent): void {
    this.#progress = advanced(this.#progress, event)
  }

  async #saveIfDue(): Promise<void> {
    const due = this.#deps.clock.now() - this.#savedAt >= savedEveryMs
    if (due && this.#progress.position !== this.#savedPosition) await this.#save()
  }

  async #save(): Promise<void> {
    const { position } = this.#progress
    this.#savedAt = this.#deps.clock.now()
    try {
      await saveProgress(this.#deps.store, this.#webhook.id, this.#progress)
      this.#savedPosition = position
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

export function saveProgress(
  store: Pick<Store, 'writeBookmark'>,
  webhookId: string,
  progress: Readonly<Progress>,
): Promise<void> {
  return store.writeBookmark(bookmarkOf(webhookId), progress.position, JSON.stringify(progress))
}

export function bookmarkOf(webhookId: string): string {
  return `webhook ${webhookId}`
}
