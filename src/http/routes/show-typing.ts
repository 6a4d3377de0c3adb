import { z } from 'zod'
import type { Sessions } from '../../sessions/sessions.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export function showTypingRoute(app: App, { sessions }: { sessions: Sessions }) {
  app.post(
    '/v1/sessions/:sessionId/typing',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'showTyping',
        summary: 'Show that the guest types',
        description: 'Where the dialect can, while its stream is open. Nothing is stored.',
        tags: ['Messages'],
        params: SessionParams,
        response: {
          204: z.null().meta({ description: 'Shown' }),
          ...problems(
            ...bodyFailures,
            'session-not-found',
            'session-closed',
            'not-supported-by-dialect',
            'upstream-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      await sessions.typing(request.params.sessionId)
      return reply.code(204).send(null as never)
    },
  )
}
