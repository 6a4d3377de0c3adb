/**
 * The figures of the journal as a pure fold: an event in, the figures moved on, in constant time. The space is constant
 * too, but for the sessions of the last five minutes.
 */
import type { JournalEvent } from '../sessions/events.ts'
import type { DialectName, SessionState } from '../sessions/session.ts'
import { DropOff, type DropOffState } from './drop-off.ts'
import { LastHour, type LastHourState } from './last-hour.ts'
import { Latency, latencyIn, type Recorded } from './latency.ts'
import { MessageCounts, type MessageCountsState } from './message-counts.ts'
import { SessionCounts, type SessionCountsState } from './session-counts.ts'

/** What the fold reads of an event about a session. */
interface SessionData {
  dialect: DialectName
  createdAt: string
  activatedAt: string | null
  latencyMs: { create: number; activate: number | null }
}

/** Raised when older states can no longer be gone on from: then the journal is counted anew. */
const version = 3

interface Saved {
  version: typeof version
  sessions: SessionCountsState
  messages: MessageCountsState
  dropOff: DropOffState
  youngAfter: number
  lastHour: LastHourState
  latency: { create: Recorded; activate: Recorded; message: Recorded }
}

export class Figures {
  readonly #sessions: SessionCounts
  readonly #messages: MessageCounts
  readonly #dropOff: DropOff
  readonly #lastHour: LastHour
  readonly #latency: { create: Latency; activate: Latency; message: Latency }

  constructor(saved?: Saved) {
    this.#sessions = new SessionCounts(saved?.sessions)
    this.#messages = new MessageCounts(saved?.messages)
    this.#lastHour = new LastHour(saved?.lastHour)
    this.#dropOff = new DropOff((at, isDropped) => {
      this.#lastHour.count('judged', at)
      if (isDropped) this.#lastHour.count('dropped', at)
    }, saved?.dropOff)
    this.#latency = {
      create: new Latency(saved?.latency.create),
      activate: new Latency(saved?.latency.activate),
      message: new Latency(saved?.latency.message),
    }
  }

  add(event: JournalEvent): void {
    this.#dropOff.judgeUntil(event.at)
    switch (event.type) {
      case 'session.created':
        this.#created(event)
        break
      case 'session.activated':
        this.#activated(event)
        break
      case 'session.closed':
        this.#ended('closed', event)
        break
      case 'session.expired':
        this.#ended('expired', event)
        break
      case 'session.failed':
        this.#ended('failed', event)
        break
      case 'message.accepted':
        this.#dropOff.spoke(event.sessionId, event.ordinal === 1)
        if (this.#messages.accept(event)) this.#lastHour.count('accepted', event.at)
        break
      case 'message.received':
        this.#dropOff.spoke(event.sessionId, event.ordinal === 1)
        this.#messages.receive()
        this.#lastHour.count('received', event.at)
        break
      case 'message.sent':
        this.#sent(event)
        break
      case 'message.failed':
        this.#messages.trouble('failed', event)
        this.#lastHour.count('failed', event.at)
        break
      case 'message.unconfirmed':
        this.#messages.trouble('unconfirmed', event)
        break
    }
  }

  /** As of `now`, epoch ms. */
  read(now: number) {
    this.#dropOff.judgeUntil(now)
    return {
      sessions: this.#sessions.total(),
      sessionsByDialect: this.#sessions.byDialect(),
      dropOffRate: this.#dropOff.rate(),
      averageDurationSeconds: this.#sessions.averageDurationMs() / 1000,
      messages: this.#messages.read(),
      deliveryRate: this.#messages.deliveryRate(),
      latencyMs: {
        create: this.#latency.create.percentiles(),
        activate: this.#latency.activate.percentiles(),
        message: this.#latency.message.percentiles(),
      },
    }
  }

  /** Minute by minute, as of `now`, epoch ms. */
  readLastHour(now: number) {
    this.#dropOff.judgeUntil(now)
    return this.#lastHour.read(now)
  }

  /** Text that `resume` goes on from, of a bounded length; `position` is that of the last event added. */
  save(position: number): string {
    const { create, activate, message } = this.#latency
    const state: Saved = {
      version,
      sessions: this.#sessions.save(),
      messages: this.#messages.save(),
      dropOff: this.#dropOff.save(),
      youngAfter: this.#dropOff.youngAfter(position),
      lastHour: this.#lastHour.save(),
      latency: { create: create.save(), activate: activate.save(), message: message.save() },
    }
    return JSON.stringify(state)
  }

  /**
   * The figures as they were saved, once all events after `youngAfter` and up to the saved position were told to
   * `recall`, and then `recalled`. Undefined for what an older version saved.
   */
  static resume(text: string): { figures: Figures; youngAfter: number } | undefined {
    const saved = JSON.parse(text) as Saved
    if (saved.version !== version) return undefined
    return { figures: new Figures(saved), youngAfter: saved.youngAfter }
  }

  /** An event that is counted already, for what it says about a session that is still young. */
  recall(event: JournalEvent): void {
    switch (event.type) {
      case 'session.created':
        this.#track(event, JSON.parse(event.data))
        break
      case 'message.accepted':
      case 'message.received':
        this.#dropOff.spoke(event.sessionId, false)
        break
      case 'session.closed':
      case 'session.expired':
      case 'session.failed':
        this.#dropOff.forget(event.sessionId)
        break
    }
  }

  recalled(): void {
    this.#dropOff.forgetJudged()
  }

  #created(event: JournalEvent): void {
    const data: SessionData = JSON.parse(event.data)
    this.#sessions.created(data.dialect)
    this.#latency.create.record(data.latencyMs.create)
    this.#lastHour.count('created', event.at)
    this.#track(event, data)
  }

  #track({ sessionId, position }: JournalEvent, { createdAt }: SessionData): void {
    this.#dropOff.created(sessionId, Date.parse(createdAt), position)
  }

  #activated(event: JournalEvent): void {
    const { dialect, latencyMs }: SessionData = JSON.parse(event.data)
    this.#sessions.moved(dialect, 'pending', 'active')
    this.#latency.activate.record(latencyMs.activate ?? 0)
  }

  #ended(state: SessionState, event: JournalEvent): void {
    const { dialect, createdAt, activatedAt }: SessionData = JSON.parse(event.data)
    this.#sessions.moved(dialect, activatedAt === null ? 'pending' : 'active', state)
    this.#sessions.lasted(event.at - Date.parse(createdAt))
    this.#dropOff.ended(event.sessionId, event.at)
    this.#lastHour.count('ended', event.at)
  }

  #sent(event: JournalEvent): void {
    this.#messages.send(event)
    this.#lastHour.count('sent', event.at)
    const latencyMs = latencyIn(event.data)
    if (latencyMs !== null) this.#latency.message.record(latencyMs)
  }
}
