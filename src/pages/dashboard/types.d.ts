/** What the dashboard reads of the API's answers, beyond what all pages do. */
import type { Session } from '../shared/types.d.ts'

export interface Percentiles {
  p50: number | null
  p95: number | null
  p99: number | null
}

export interface Quota {
  client: string
  dialects: string[]
  limit: number
  windowSeconds: number
  used: number
  queued: number
  pausedUntil: string | null
}

type SessionCounts = Record<Session['state'] | 'total', number>

export interface DialectCounts extends SessionCounts {
  dialect: string
}

/** What happened in it. */
export type Minute = { from: string } & Record<
  'created' | 'ended' | 'judged' | 'dropped' | 'accepted' | 'sent' | 'failed' | 'received',
  number
>

export interface Stats {
  sessions: SessionCounts
  sessionsByDialect: DialectCounts[]
  dropOffRate: number
  averageDurationSeconds: number
  messages: Record<'accepted' | 'sent' | 'failed' | 'unconfirmed' | 'received', number>
  deliveryRate: number
  waiting: number
  latencyMs: Record<'create' | 'activate' | 'message', Percentiles>
  quota: Quota[]
  streams: { upstream: number; downstream: number }
  webhooks: { pending: number; deadLettered: number }
  /** Oldest first. */
  lastHour: Minute[]
}

/** The figures as of `at` (epoch ms). */
export interface Reading {
  at: number
  stats: Stats
}

export interface ListedSession extends Session {
  createdAt: string
  activatedAt: string | null
  closedAt: string | null
  lastActivityAt: string
  messages: { outbound: number; inbound: number; failed: number }
  metadata: { externalSessionId?: string }
  stream: Session['stream'] & { reconnects: number }
}

export interface TimelineDelivery {
  webhookId: string
  attempt: number
  /** Null: no answer came. */
  status: number | null
  durationMs: number
  sinceStepMs: number
}

export interface TimelineStep {
  sequence: number
  type: string
  at: string
  sinceCreatedMs: number
  sincePreviousMs: number
  actor: string | null
  traceId: string | null
  messageId: string | null
  message: {
    author: string
    status: string
    attempts: number
    latencyMs: number | null
    sinceAcceptedMs: number
    upstreamId: string | null
    upstreamStatus: string | null
    parts: { sent: number; of: number } | null
    error: {
      code: string
      upstreamStatus: number | null
      upstreamCode: string | null
      contextId: string | null
    } | null
  } | null
  session: {
    state: string
    streamState: string
    conversationId: string | null
    closeReason: string | null
  } | null
  deliveries: TimelineDelivery[]
}

export interface Page<T> {
  items: T[]
  nextCursor: string | null
}
