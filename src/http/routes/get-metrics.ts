import { z } from 'zod'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export interface MetricsText {
  render(): Promise<{ contentType: string; text: string }>
}

export function getMetricsRoute(app: App, { metrics }: { metrics: MetricsText }) {
  app.get(
    '/metrics',
    {
      config: { roles: ['ops'] },
      schema: {
        operationId: 'getMetrics',
        summary: 'Figures for Prometheus',
        tags: ['Operations'],
        response: {
          200: {
            description: 'Prometheus text format',
            content: { 'text/plain': { schema: z.string() } },
          },
          ...problems(),
        },
      },
    },
    async (_request, reply) => {
      const { contentType, text } = await metrics.render()
      return reply.type(contentType).send(text as never)
    },
  )
}
