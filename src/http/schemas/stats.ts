import { z } from 'zod'
import { dialectNames } from '../../sessions/session.ts'
import { Timestamp } from './common.ts'

const Percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
})

const SessionCounts = z.object({
  total: z.int(),
  pending: z.int(),
  active: z.int(),
  closed: z.int(),
  expired: z.int(),
  failed: z.int(),
})

const Minute = z.object({
  from: Timestamp,
  created: z.int(),
  ended: z.int(),
  judged: z.int().meta({ description: 'Sessions that ended or became 5 minutes old' }),
  dropped: z.int().meta({ description: 'Of those, the ones without a message by then' }),
  accepted: z.int(),
  sent: z.int(),
  failed: z.int(),
  received: z.int(),
})

const statsExample = {
  sessions: { total: 120, pending: 2, active: 14, closed: 100, expired: 3, failed: 1 },
  sessionsByDialect: dialectNames.map((dialect) =>
    dialect === 'external-guests'
      ? { dialect, total: 120, pending: 2, active: 14, closed: 100, expired: 3, failed: 1 }
      : { dialect, total: 0, pending: 0, active: 0, closed: 0, expired: 0, failed: 0 },
  ),
  dropOffRate: 0.08,
  averageDurationSeconds: 341.5,
  messages: { accepted: 980, sent: 975, failed: 3, unconfirmed: 0, received: 410 },
  deliveryRate: 0.9969,
  waiting: 2,
  latencyMs: {
    create: { p50: 84, p95: 160, p99: 240 },
    activate: { p50: 1640, p95: 3100, p99: 5200 },
    message: { p50: 41, p95: 90, p99: 180 },
  },
  quota: [
    {
      client: 'shop-client',
      dialects: ['external-guests'],
      limit: 100,
      windowSeconds: 60,
      used: 37,
      queued: 0,
      pausedUntil: null,
    },
  ],
  streams: { upstream: 0, downstream: 0 },
  webhooks: { pending: 0, deadLettered: 0 },
}

export const StatsView = z
  .object({
    sessions: SessionCounts,
    sessionsByDialect: z
      .array(SessionCounts.extend({ dialect: z.enum(dialectNames) }))
      .meta({ description: 'The same for each dialect, used or not' }),
    dropOffRate: z.number().min(0).max(1),
    averageDurationSeconds: z.number(),
    messages: z
      .object({
        accepted: z.int(),
        sent: z.int(),
        failed: z.int(),
        unconfirmed: z.int(),
        received: z.int(),
      })
      .meta({
        description:
          'Each message once, as it stands: one that failed and was then sent on a retry is `sent`. What was accepted and is none of `sent`, `failed`, `unconfirmed` is on its way',
      }),
    deliveryRate: z.number().min(0).max(1),
    waiting: z.int().meta({ description: 'Messages accepted and not settled: the queue' }),
    latencyMs: z.object({ create: Percentiles, activate: Percentiles, message: Percentiles }),
    quota: z.array(
      z.object({
        client: z.string(),
        dialects: z.array(z.enum(dialectNames)),
        limit: z.int(),
        windowSeconds: z.number(),
        used: z.int(),
        queued: z.int(),
        pausedUntil: z.iso.datetime().nullable(),
      }),
    ),
    streams: z.object({ upstream: z.int(), downstream: z.int() }),
    webhooks: z.object({
      pending: z.int().meta({
        description:
          'Events not delivered yet, over all destinations; past 100 of one, an estimate',
      }),
      deadLettered: z.int(),
    }),
    lastHour: z.array(Minute).optional().meta({
      description:
        'With `include=lastHour`: what happened in each of the last 60 minutes, oldest first, up to now',
    }),
  })
  .meta({
    examples: [statsExample],
    id: 'Stats',
    description:
      'Sessions by present state; messages counted since the store began; rates from 0 to 1; `quota` lists the windows in use, so none where it is off',
  })

export const StatsQuery = z.strictObject({
  include: z
    .literal('lastHour')
    .optional()
    .meta({ description: 'Adds the last hour, minute by minute' }),
})
