import { z } from 'zod'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export interface MetricsSource {
  render(format: 'prometheus' | 'openmetrics'): Promise<{ contentType: string; text: string }>
}

const MetricsText = z.string().meta({
  examples: [
    '# HELP gateway_sessions Sessions by present state and dialect\n# TYPE gateway_sessions gauge\ngateway_sessions{state="active",dialect="conversations"} 12\n',
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
        description:
          'The Prometheus text format, or OpenMetrics for who accepts `application/openmetrics-text`.',
        tags: ['Operations'],
        response: {
          200: {
            description: 'Prometheus or OpenMetrics text',
            content: {
              'text/plain': { schema: MetricsText },
              'application/openmetrics-text': { schema: MetricsText },
            },
          },
          ...problems(),
        },
      },
    },
    async ({ headers }, reply) => {
      const isOpen = headers.accept?.includes('application/openmetrics-text')
      const { contentType, text } = await metrics.render(isOpen ? 'openmetrics' : 'prometheus')
      return reply
        .type(contentType)
        .header('vary', 'accept')
        .send(text as never)
    },
  )
}
