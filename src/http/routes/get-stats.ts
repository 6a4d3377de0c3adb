import { z } from 'zod'
import { dialectNames } from '../../sessions/session.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

const Percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
})

const statsExample = {
  sessions: { total: 120, pending: 2, active: 14, closed: 100, expired: 3, failed: 1 },
  dropOffRate: 0.08,
  averageDurationSeconds: 341.5,
  messages: { accepted: 980, sent: 975, failed: 3, unconfirmed: 0, received: 410 },
  deliveryRate: 0.9969,
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
    sessions: z.object({
      total: z.int(),
      pending: z.int(),
      active: z.int(),
      closed: z.int(),
      expired: z.int(),
      failed: z.int(),
    }),
    dropOffRate: z.number().min(0).max(1),
    averageDurationSeconds: z.number(),
    messages: z.object({
      accepted: z.int(),
      sent: z.int(),
      failed: z.int(),
      unconfirmed: z.int(),
      received: z.int(),
    }),
    deliveryRate: z.number().min(0).max(1),
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
    webhooks: z.object({ pending: z.int(), deadLettered: z.int() }),
  })
  .meta({
    examples: [statsExample],
    id: 'Stats',
    description:
      'Sessions by present state; messages counted since the store began; rates from 0 to 1; `quota` lists the windows in use, so none where it is off',
  })

export function getStatsRoute(app: App, { read }: { read: () => z.input<typeof StatsView> }) {
  app.get(
    '/v1/stats',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'getStats',
        summary: 'Read the figures',
        description:
          'Costs the same however many sessions there were, and goes on where it was after a restart.',
        tags: ['Operations'],
        response: { 200: StatsView, ...problems() },
      },
    },
    async () => read(),
  )
}
