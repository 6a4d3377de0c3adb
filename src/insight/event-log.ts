import { type EventType, eventTrace, type JournalEvent } from '../sessions/events.ts'
import type { MessageError } from '../sessions/message.ts'
import type { Store } from '../store/store.ts'
import { traceIdOf } from '../trace.ts'

export interface EventLogger {
  isLevelEnabled(level: Level): boolean
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

type Level = 'debug' | 'info' | 'warn'

/** How loud each event is; what is not named is `info`. */
const levels: Partial<Record<EventType, Level>> = {
  'message.accepted': 'debug',
  'message.received': 'debug',
  'message.failed': 'warn',
  'message.unconfirmed': 'warn',
  'session.failed': 'warn',
  'session.stream_lost': 'warn',
}

/** One log line per business event, by following the journal. Names and texts stay out. Returns the way to stop. */
export function logEvents(store: Pick<Store, 'follow'>, log: EventLogger): () => void {
  return store.follow((events) => {
    for (const event of events) {
      const level = levels[event.type] ?? 'info'
      if (log.isLevelEnabled(level)) log[level](fields(event), event.type)
    }
  })
}

function fields(event: JournalEvent): object {
  const { type, sessionId, messageId, sequence, actor, data } = event
  const trace = eventTrace(event)
  const known = {
    sessionId,
    sequence,
    ...(messageId !== null && { messageId }),
    ...(actor !== null && { actor }),
    ...(trace && { traceId: traceIdOf(trace) }),
  }
  if (type !== 'message.failed' && type !== 'message.unconfirmed') return known
  const { error } = JSON.parse(data) as { error: Pick<MessageError, 'code' | 'upstream'> | null }
  // Not the detail: it repeats the platform's words, and those may repeat the guest's.
  const { status, contextId } = error?.upstream ?? {}
  return { ...known, code: error?.code, upstreamStatus: status, contextId }
}
