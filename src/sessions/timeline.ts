/**
 * What happened to a session, step by step, for those who help its guest: times, outcomes and ids, nothing of what was
 * said and nothing of who said it. It is made from the journal, which is kept as long as the session is, erased or not.
 */
import { pageOf, readCursor } from '../store/cursor.ts'
import type { Page, PageRequest, Store } from '../store/store.ts'
import { traceIdOf } from '../trace.ts'
import { plainReason } from './close-reasons.ts'
import { type EventType, eventTrace, isEnd, type JournalEvent } from './events.ts'
import type { SessionRegistry } from './registry.ts'
import type { PublicMessage, PublicSession } from './views.ts'

/** One try to deliver an event to a webhook. */
export interface DeliveryTry {
  eventId: string
  webhookId: string
  /** Epoch ms. */
  at: number
  /** From 1. */
  attempt: number
  /** Null when no answer came. */
  status: number | null
  durationMs: number
}

export interface TimelineDeps {
  store: Pick<Store, 'eventsOf'>
  registry: Pick<SessionRegistry, 'get'>
  /** What was tried of these events, as far as that is remembered. */
  triesOf(eventIds: ReadonlySet<string>): DeliveryTry[]
}

export type TimelineStep = ReturnType<typeof stepOf>

/** In order. Throws `session-not-found`; rejects with InvalidCursor. */
export async function readTimeline(
  { store, registry, triesOf }: TimelineDeps,
  sessionId: string,
  { limit, cursor }: PageRequest,
): Promise<Page<TimelineStep>> {
  const list = `timeline ${sessionId}`
  const { createdAt } = await registry.get(sessionId)
  const [after = 0] = cursor === undefined ? [] : readCursor(list, cursor)
  // With the one before, which the first of the page is measured from.
  const from = Math.max(0, after - 1)
  const events = await store.eventsOf(sessionId, from, limit + 1 + (after - from))
  const found = events.filter(({ sequence }) => sequence > after)
  const page = pageOf(list, found, limit, ({ sequence }) => [sequence])
  const tries = triesOf(new Set(page.items.map(({ id }) => id)))
  const items = page.items.map((event) => {
    const previous = events[events.indexOf(event) - 1]
    const since = { createdAt, previousAt: previous?.at ?? createdAt }
    return stepOf(event, since, tries)
  })
  return { items, nextCursor: page.nextCursor }
}

function stepOf(
  event: JournalEvent,
  { createdAt, previousAt }: { createdAt: number; previousAt: number },
  tries: readonly DeliveryTry[],
) {
  const { id, sequence, type, at, actor, messageId, data } = event
  const trace = eventTrace(event)
  return {
    sequence,
    eventId: id,
    type,
    at: new Date(at).toISOString(),
    // Who makes a guest notes its time before the journal does, and clocks are set back.
    sinceCreatedMs: Math.max(0, at - createdAt),
    sincePreviousMs: Math.max(0, at - previousAt),
    actor,
    traceId: trace && traceIdOf(trace),
    messageId,
    message: messageId === null ? null : messageFacts(JSON.parse(data) as PublicMessage, at),
    session: messageId === null ? sessionFacts(type, JSON.parse(data) as PublicSession) : null,
    deliveries: tries
      .filter(({ eventId }) => eventId === id)
      .toSorted((a, b) => a.at - b.at)
      .map((tried) => deliveryFacts(tried, at)),
  }
}

function messageFacts(message: PublicMessage, at: number) {
  const { direction, author, status, attempts, latencyMs, parts, error } = message
  return {
    direction,
    author,
    status,
    attempts,
    latencyMs,
    /** What the caller has waited for by then. */
    sinceAcceptedMs: Math.max(0, at - Date.parse(message.acceptedAt)),
    upstreamId: message.upstreamId,
    upstreamStatus: message.upstreamStatus,
    parts: parts && {
      sent: parts.filter((part) => part.status === 'sent').length,
      of: parts.length,
    },
    // Not the details: they repeat the platform's words, and those may repeat the guest's.
    error: error && {
      code: error.code,
      retryable: error.retryable,
      upstreamStatus: error.upstream?.status ?? null,
      upstreamCode: error.upstream?.code ?? null,
      contextId: error.upstream?.contextId ?? null,
    },
  }
}

function sessionFacts(type: EventType, session: PublicSession) {
  const { state, conversationId, stream, latencyMs, tokenExpiresAt, closeReason } = session
  return {
    state,
    conversationId,
    streamState: stream.state,
    reconnects: stream.reconnects,
    latencyMs,
    tokenExpiresAt,
    closeReason: isEnd(type) ? plainReason(closeReason) : null,
  }
}

function deliveryFacts({ webhookId, at, attempt, status, durationMs }: DeliveryTry, since: number) {
  return {
    webhookId,
    at: new Date(at).toISOString(),
    sinceStepMs: Math.max(0, at - since),
    attempt,
    status,
    durationMs,
  }
}
