import { z } from 'zod'
import type { Sessions } from '../../sessions/sessions.ts'
import { principalOf, traceOf } from '../context.ts'
import { type Idempotency, sendAnswer } from '../idempotency.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export interface ShowTypingDeps {
  sessions: Sessions
  idempotency: Idempotency
}

export function showTypingRoute(app: App, { sessions, idempotency }: ShowTypingDeps) {
  app.post(
    '/v1/sessions/:sessionId/typing',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'showTyping',
        summary: 'Show that the guest types',
        description: 'Where the dialect can, while its stream is open. No event tells of it.',
        tags: ['Messages'],
        params: SessionParams,
        response: {
          204: z.null().meta({ description: 'Shown' }),
          ...problems(
            ...bodyFailures,
            'session-not-found',
            'session-closed',
            'not-supported-by-dialect',
            'idempotency-key-in-progress',
            'idempotency-key-reused',
            'upstream-unavailable',
          ),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params
      using attempt = await idempotency.begin(request, principalOf(request).name)
      if (attempt.first) return sendAnswer(reply, attempt.first, true)
      await sessions.typing(sessionId, traceOf(request))
      const answer = { status: 204, location: null, body: '' }
      await attempt.answered(sessionId, null, answer)
      return sendAnswer(reply, answer, false)
    },
  )
}
