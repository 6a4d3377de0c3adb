import { z } from 'zod'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export interface MetricsSource {
  render(): Promise<{ contentType: string; text: string }>
}

const MetricsText = z.string().meta({
  examples: [
    '# HELP gateway_sessions Sessions by present state\n# TYPE gateway_sessions gauge\ngateway_sessions{state="active"} 12\n',
  ],
})

export function getMetricsRoute(app: App, { metrics }: { metrics: MetricsSource }) {
  app.get(
    '/metrics',
    {
      config: { roles: ['ops'] },
      schema: {
        operationId: 'getMetrics',
        summary: 'Read the figures for Prometheus',
        description: 'The Prometheus text format.',
        tags: ['Operations'],
        response: {
          200: {
            description: 'Prometheus text format',
            content: { 'text/plain': { schema: MetricsText } },
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
