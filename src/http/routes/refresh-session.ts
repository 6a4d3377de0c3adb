import type { Sessions } from '../../sessions/sessions.ts'
import { publicSession } from '../../sessions/views.ts'
import { callerOf, principalOf } from '../context.ts'
import { type Idempotency, sendAnswer } from '../idempotency.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { PublicSession } from '../schemas/session.ts'
import type { App } from '../server.ts'

export interface RefreshDeps {
  sessions: Sessions
  idempotency: Idempotency
}

export function refreshSessionRoute(app: App, { sessions, idempotency }: RefreshDeps) {
  app.post(
    '/v1/sessions/:sessionId/refresh',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'refreshSession',
        summary: 'Rotate the guest token now',
        description:
          'The gateway does it by itself before the token ends; the open stream is not touched either way.',
        tags: ['Sessions'],
        params: SessionParams,
        response: {
          200: PublicSession,
          ...problems(
            ...bodyFailures,
            'session-not-found',
            'session-closed',
            'not-supported-by-dialect',
            'idempotency-key-in-progress',
            'idempotency-key-reused',
            'upstream-rejected',
            'upstream-unauthorized',
            'upstream-forbidden',
            'upstream-error',
            'upstream-invalid-response',
            'upstream-unavailable',
            'upstream-timeout',
          ),
        },
      },
    },
    async (request, reply) => {
      using attempt = await idempotency.begin(request, principalOf(request).name)
      if (attempt.first) return sendAnswer(reply, attempt.first, true)
      const session = await sessions.refresh(request.params.sessionId, callerOf(request))
      const answer = { status: 200, location: null, body: JSON.stringify(publicSession(session)) }
      await attempt.answered(session.id, null, answer)
      return sendAnswer(reply, answer, false)
    },
  )
}
