/** Sessions, messages and events for tests of the store, and the changes that lead from one to the next. */
import type { NewEvent } from '../../src/sessions/events.ts'
import type { Message } from '../../src/sessions/message.ts'
import type { Session } from '../../src/sessions/session.ts'
import type { Change, IdempotencyRecord } from '../../src/store/store.ts'

let made = 0

/** Ids sort in the order they are made, as real ones do. */
export function sampleId(prefix: 'gs' | 'msg' | 'evt'): string {
  made += 1
  return `${prefix}_0193b2a1-7c3d-7e4f-8000-${String(made).padStart(12, '0')}`
}

/** As it is after its creation: version 1, with one event. */
export function sampleSession(over: Partial<Session> = {}): Session {
  return {
    id: sampleId('gs'),
    version: 1,
    sequence: 1,
    lastOrdinal: 0,
    dialect: 'external-guests',
    state: 'active',
    guestId: 'guest-1',
    conversationId: 'conversation-1',
    guest: { id: 'v-1', name: 'Ada', email: null, locale: 'en-US', attributes: { plan: 'pro' } },
    routing: { queueId: 'queue-1', priority: 1, skills: ['french'] },
    region: 'EU',
    consent: { marketing: true, personalization: true, analytics: false, recordedAt: 1000 },
    metadata: { botScore: 0.12, externalSessionId: 'external-1', 'Größe 🙂': [null, true] },
    origin: 'https://shop.example',
    createdAt: 1_763_000_000_000,
    activatedAt: 1_763_000_000_100,
    closedAt: null,
    tokenExpiresAt: 1_763_000_900_000,
    lastActivityAt: 1_763_000_000_100,
    messages: { outbound: 0, inbound: 0, failed: 0 },
    stream: { state: 'open', reconnects: 2 },
    latencyMs: { create: 84, activate: 100 },
    closeReason: null,
    erasedAt: null,
    upstream: { cursor: 'abc' },
    secrets: { token: 'fake-guest-token' },
    ...over,
  }
}

/** The next message of a session. */
export function sampleMessage(session: Session, over: Partial<Message> = {}): Message {
  return {
    id: sampleId('msg'),
    sessionId: session.id,
    ordinal: session.lastOrdinal + 1,
    direction: 'outbound',
    author: 'bot',
    text: 'Hello from the bot 🙂',
    contentType: 'text/plain',
    attachments: [
      { contentType: 'image/png', url: 'https://a.example/a.png', fileName: 'a.png', sizeBytes: 9 },
    ],
    readReceipt: true,
    content: null,
    status: 'accepted',
    upstreamId: null,
    upstreamStatus: null,
    acceptedAt: 1_763_000_000_200,
    sentAt: null,
    latencyMs: null,
    attempts: 0,
    parts: null,
    error: null,
    waits: 'caller',
    trace: { parent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', state: 'a=1,b=2' },
    ...over,
  }
}

export function sampleEvent(over: Partial<NewEvent> = {}): NewEvent {
  return {
    id: sampleId('evt'),
    type: 'session.activated',
    at: 1_763_000_000_300,
    messageId: null,
    ordinal: null,
    actor: 'shop',
    trace: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    data: '{"text":"Grüße 🙂"}',
    ...over,
  }
}

export function sampleRecord(over: Partial<IdempotencyRecord> = {}): IdempotencyRecord {
  return {
    key: 'shop:key-1',
    fingerprint: 'f'.repeat(44),
    answer: null,
    sessionId: 'gs_unknown',
    messageId: null,
    expiresAt: Date.now() + 3_600_000,
    ...over,
  }
}

/** The first commit of a session. */
export function creation(session: Session = sampleSession()): Change {
  const events = Array.from({ length: session.sequence }, () =>
    sampleEvent({ type: 'session.created' }),
  )
  return { session, expectedVersion: 0, events, messages: [] }
}

/** One step on from `before`: versions, sequences and ordinals follow by themselves. */
export function step(
  before: Session,
  {
    patch = {},
    events = [],
    messages = [],
    ...rest
  }: Partial<Change> & { patch?: Partial<Session> },
): Change {
  const session: Session = {
    ...before,
    lastOrdinal: Math.max(before.lastOrdinal, ...messages.map((message) => message.ordinal)),
    ...patch,
    version: before.version + 1,
    sequence: before.sequence + events.length,
  }
  return { session, expectedVersion: before.version, events, messages, ...rest }
}

/** One step in which the session gets a message, with its event. */
export function acceptance(before: Session, over: Partial<Message> = {}): Change {
  const message = sampleMessage(before, over)
  const event = sampleEvent({
    type: message.direction === 'inbound' ? 'message.received' : 'message.accepted',
    messageId: message.id,
    ordinal: message.ordinal,
    tells: { message, besides: message },
  })
  return step(before, { events: [event], messages: [message] })
}
