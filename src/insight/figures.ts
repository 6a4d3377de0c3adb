/** The figures of the journal as a pure fold: an event in, the figures moved on, in constant space and time. */
import type { JournalEvent } from '../sessions/events.ts'
import { Latency } from './latency.ts'

/** A session without a message for so long counts as dropped, and until it ends it may still come back. */
const dropOffMs = 5 * 60_000

/** What a figure's fold reads of an event's data. */
interface SessionData {
  createdAt: string
  activatedAt: string | null
  closedAt: string | null
  latencyMs: { create: number; activate: number | null }
  messages: { outbound: number; inbound: number }
}

interface Totals {
  sessions: {
    total: number
    pending: number
    active: number
    closed: number
    expired: number
    failed: number
  }
  /** Sessions that ended or are old enough to say whether they were dropped, and those that were. */
  judged: number
  dropped: number
  ended: number
  durationMs: number
  messages: {
    accepted: number
    sent: number
    failed: number
    unconfirmed: number
    received: number
  }
}

/** Sessions too young to be judged, oldest first. `createdAt` in epoch ms; `spoke`: a message went either way. */
type Young = Map<string, { createdAt: number; spoke: boolean }>

interface Saved {
  totals: Totals
  young: [string, { createdAt: number; spoke: boolean }][]
  latency: { create: string; activate: string; message: string }
}

export class Figures {
  readonly #totals: Totals
  readonly #young: Young
  readonly #latency: { create: Latency; activate: Latency; message: Latency }

  /** `saved` is what `save` gave. */
  constructor(saved?: string) {
    const state = saved === undefined ? undefined : (JSON.parse(saved) as Saved)
    this.#totals = state?.totals ?? noTotals()
    this.#young = new Map(state?.young)
    this.#latency = {
      create: new Latency(state?.latency.create),
      activate: new Latency(state?.latency.activate),
      message: new Latency(state?.latency.message),
    }
  }

  add(event: JournalEvent): void {
    this.#judge(event.at)
    if (event.messageId !== null) this.#addMessage(event)
    else this.#addSession(event, JSON.parse(event.data) as SessionData)
  }

  /** As of `now`, epoch ms. */
  read(now: number) {
    this.#judge(now)
    const { sessions, judged, dropped, ended, durationMs, messages } = this.#totals
    const finished = messages.sent + messages.failed
    return {
      sessions: { ...sessions },
      dropOffRate: judged === 0 ? 0 : dropped / judged,
      averageDurationSeconds: ended === 0 ? 0 : durationMs / ended / 1000,
      messages: { ...messages },
      deliveryRate: finished === 0 ? 0 : messages.sent / finished,
      latencyMs: {
        create: this.#latency.create.percentiles(),
        activate: this.#latency.activate.percentiles(),
        message: this.#latency.message.percentiles(),
      },
    }
  }

  save(): string {
    const { create, activate, message } = this.#latency
    const state: Saved = {
      totals: this.#totals,
      young: [...this.#young],
      latency: { create: create.encode(), activate: activate.encode(), message: message.encode() },
    }
    return JSON.stringify(state)
  }

  #addSession(event: JournalEvent, data: SessionData): void {
    const { sessions } = this.#totals
    switch (event.type) {
      case 'session.created':
        sessions.total += 1
        sessions.pending += 1
        this.#latency.create.record(data.latencyMs.create)
        this.#young.set(event.sessionId, { createdAt: Date.parse(data.createdAt), spoke: false })
        break
      case 'session.activated':
        sessions.pending -= 1
        sessions.active += 1
        this.#latency.activate.record(data.latencyMs.activate ?? 0)
        break
      case 'session.closed':
        this.#end('closed', event, data)
        break
      case 'session.expired':
        this.#end('expired', event, data)
        break
      case 'session.failed':
        this.#end('failed', event, data)
        break
    }
  }

  #end(state: 'closed' | 'expired' | 'failed', event: JournalEvent, data: SessionData): void {
    const { sessions } = this.#totals
    sessions[data.activatedAt === null ? 'pending' : 'active'] -= 1
    sessions[state] += 1
    this.#totals.ended += 1
    this.#totals.durationMs += event.at - Date.parse(data.createdAt)
    if (!this.#young.delete(event.sessionId)) return
    this.#totals.judged += 1
    if (data.messages.outbound + data.messages.inbound === 0) this.#totals.dropped += 1
  }

  #addMessage(event: JournalEvent): void {
    const { messages } = this.#totals
    if (event.ordinal === 1) this.#firstMessage(event)
    switch (event.type) {
      case 'message.accepted':
        messages.accepted += 1
        break
      case 'message.sent': {
        messages.sent += 1
        const { latencyMs } = JSON.parse(event.data) as { latencyMs: number | null }
        if (latencyMs !== null) this.#latency.message.record(latencyMs)
        break
      }
      case 'message.failed':
        messages.failed += 1
        break
      case 'message.unconfirmed':
        messages.unconfirmed += 1
        break
      case 'message.received':
        messages.received += 1
        break
    }
  }

  #firstMessage(event: JournalEvent): void {
    const young = this.#young.get(event.sessionId)
    if (young) young.spoke = true
    // An older one had been counted as dropped, and came back.
    else this.#totals.dropped -= 1
  }

  #judge(now: number): void {
    for (const [id, { createdAt, spoke }] of this.#young) {
      if (now - createdAt < dropOffMs) return
      this.#young.delete(id)
      this.#totals.judged += 1
      if (!spoke) this.#totals.dropped += 1
    }
  }
}

function noTotals(): Totals {
  return {
    sessions: { total: 0, pending: 0, active: 0, closed: 0, expired: 0, failed: 0 },
    judged: 0,
    dropped: 0,
    ended: 0,
    durationMs: 0,
    messages: { accepted: 0, sent: 0, failed: 0, unconfirmed: 0, received: 0 },
  }
}
