import type { z } from 'zod'
import { problems } from '../schemas/problem.ts'
import { StatsQuery, StatsView } from '../schemas/stats.ts'
import type { App } from '../server.ts'

type Figures = z.input<typeof StatsView>

export interface StatsDeps {
  stats(): Promise<Omit<Figures, 'lastHour'>>
  /** Oldest first. */
  lastHour(): Required<Figures>['lastHour']
}

export function getStatsRoute(app: App, { stats, lastHour }: StatsDeps) {
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
        querystring: StatsQuery,
        response: { 200: StatsView, ...problems() },
      },
    },
    async ({ query }) => ({
      ...(await stats()),
      ...(query.include === 'lastHour' && { lastHour: lastHour() }),
    }),
  )
}
