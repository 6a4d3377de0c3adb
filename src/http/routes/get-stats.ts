import { z } from 'zod'
import { dialectNames } from '../../sessions/session.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

const Percentiles = z.object({
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
})

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
