import { plainReason } from '../sessions/close-reasons.ts'
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

/**
 * One log line per business event, by following the journal. Names and texts stay out. `lossOf`: why a session's
 * stream was lost, which its event does not say. Returns the way to stop.
 */
export function logEvents(
  store: Pick<Store, 'follow'>,
  log: EventLogger,
  lossOf: (sessionId: string) => string | undefined,
): () => void {
  return store.follow((events) => {
    for (const event of events) {
      const level = levels[event.type] ?? 'info'
      if (log.isLevelEnabled(level))
        log[level]({ ...known(event), ...why(event, lossOf) }, event.type)
    }
  })
}

function known(event: JournalEvent): object {
  const { sessionId, messageId, sequence, actor } = event
  const trace = eventTrace(event)
  return {
    sessionId,
    sequence,
    ...(messageId !== null && { messageId }),
    ...(actor !== null && { actor }),
    ...(trace && { traceId: traceIdOf(trace) }),
  }
}

function why({ type, sessionId, data }: JournalEvent, lossOf: Parameters<typeof logEvents>[2]) {
  switch (type) {
    case 'session.stream_lost':
      return { reason: lossOf(sessionId) }
    case 'session.closed':
    case 'session.expired':
    case 'session.failed': {
      const { closeReason } = JSON.parse(data) as { closeReason: string | null }
      return { reason: plainReason(closeReason) }
    }
    case 'message.failed':
    case 'message.unconfirmed': {
      const { error } = JSON.parse(data) as {
        error: Pick<MessageError, 'code' | 'upstream'> | null
      }
      // Not the detail: it repeats the platform's words, and those may repeat the guest's.
      const { status, contextId } = error?.upstream ?? {}
      return { code: error?.code, upstreamStatus: status, contextId }
    }
    default:
      return {}
  }
}
