import type { DialectName } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { publicSession } from '../../sessions/views.ts'
import { callerOf, principalOf } from '../context.ts'
import { type Idempotency, sendAnswer } from '../idempotency.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { CreateSession, newSession, PublicSession } from '../schemas/session.ts'
import type { App } from '../server.ts'

export interface CreateSessionDeps {
  sessions: Sessions
  idempotency: Idempotency
  defaults: { defaultDialect: DialectName; queueId: string | null }
}

export function createSessionRoute(
  app: App,
  { sessions, idempotency, defaults }: CreateSessionDeps,
) {
  app.post(
    '/v1/sessions',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'createSession',
        summary: 'Create a guest session',
        description:
          'Makes a guest on the platform and answers with its session, `pending` until the platform has routed it. Messages may be sent at once; they leave when it is active.',
        tags: ['Sessions'],
        body: CreateSession,
        response: {
          201: PublicSession,
          ...problems(
            ...bodyFailures,
            'metadata-too-large',
            'guest-already-exists',
            'consent-required',
            'dialect-not-configured',
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
      const answerFor = (session: Parameters<typeof publicSession>[0]) => ({
        status: 201,
        location: `/v1/sessions/${session.id}`,
        body: JSON.stringify(publicSession(session)),
      })
      const session = await sessions.create(
        newSession(request.body, defaults),
        callerOf(request),
        (made) => attempt.record(made.id, null, answerFor(made)),
      )
      return sendAnswer(reply, answerFor(session), false)
    },
  )
}
