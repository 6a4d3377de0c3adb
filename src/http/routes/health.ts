import { z } from 'zod'
import type { App } from '../server.ts'

/** Why the gateway should get no traffic now; empty when it should. */
export type NotReady = () => string[]

const Live = z
  .object({ status: z.literal('live') })
  .meta({ id: 'Live', examples: [{ status: 'live' }] })
const Ready = z
  .object({ status: z.enum(['ready', 'not-ready']), reasons: z.array(z.string()) })
  .meta({
    id: 'Ready',
    description: 'Reasons name no secrets',
    examples: [
      { status: 'ready', reasons: [] },
      { status: 'not-ready', reasons: ['no token from the platform yet'] },
    ],
  })

export function healthRoutes(app: App, { notReady }: { notReady: NotReady }) {
  app.get(
    '/health/live',
    {
      schema: {
        operationId: 'getLive',
        summary: 'Is the process alive',
        description: 'Answers as long as the process works, whatever state the platform is in.',
        tags: ['Operations'],
        security: [],
        response: { 200: Live },
      },
    },
    async () => ({ status: 'live' as const }),
  )
  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'getReady',
        summary: 'Should it get traffic, and if not, why',
        description: 'Looks at the token of the platform, its scopes and the store.',
        tags: ['Operations'],
        security: [],
        response: {
          200: Ready,
          503: { description: 'Not ready', content: { 'application/json': { schema: Ready } } },
        },
      },
    },
    async (_request, reply) => {
      const reasons = notReady()
      if (reasons.length === 0) return { status: 'ready' as const, reasons }
      return reply.code(503).send({ status: 'not-ready', reasons })
    },
  )
}
