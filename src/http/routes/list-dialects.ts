import { z } from 'zod'
import { authors } from '../../sessions/message.ts'
import { dialectNames } from '../../sessions/session.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

const DialectView = z
  .object({
    name: z.enum(dialectNames),
    configured: z.boolean(),
    missing: z.array(z.string()).meta({ description: 'Why it is not configured' }),
    default: z.boolean(),
    scopes: z.array(z.string()),
    capabilities: z.object({
      transport: z.enum(['rest', 'websocket']),
      authors: z.array(z.enum(authors)),
      attachments: z.boolean(),
      readReceipts: z.boolean(),
      typing: z.boolean(),
      consent: z.boolean(),
      tokenRefresh: z.boolean(),
      closesUpstream: z.boolean(),
      receives: z.boolean(),
    }),
  })
  .meta({
    id: 'Dialect',
    examples: [
      {
        name: 'external-guests',
        configured: true,
        missing: [],
        default: true,
        scopes: ['webmessaging:guest:write', 'webmessaging:guest:read'],
        capabilities: {
          transport: 'rest',
          authors: ['bot', 'user', 'agent', 'system'],
          attachments: false,
          readReceipts: false,
          typing: false,
          consent: false,
          tokenRefresh: false,
          closesUpstream: false,
          receives: false,
        },
      },
    ],
  })

const DialectList = z
  .object({ items: z.array(DialectView) })
  .meta({ id: 'DialectList', examples: [{ items: DialectView.meta()?.examples ?? [] }] })

export function listDialectsRoute(
  app: App,
  { read }: { read: () => z.input<typeof DialectView>[] },
) {
  app.get(
    '/v1/dialects',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'listDialects',
        summary: 'List the dialects',
        description:
          'Every guest surface of the platform: what it can do, and whether it is configured here.',
        tags: ['Operations'],
        response: {
          200: DialectList,
          ...problems(),
        },
      },
    },
    async () => ({ items: read() }),
  )
}
