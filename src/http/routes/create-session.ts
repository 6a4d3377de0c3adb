import type { z } from 'zod'
import type { DialectName, Session } from '../../sessions/session.ts'
import { publicSession } from '../../sessions/views.ts'
import { callerOf, ownOrigin, principalOf } from '../context.ts'
import { type Answer, sendAnswer } from '../idempotency.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { CreatedSession, CreateSession, newSession } from '../schemas/session.ts'
import type { StreamToken } from '../schemas/stream-token.ts'
import type { App } from '../server.ts'
import {
  issueStreamToken,
  requireStreamOrigin,
  type StreamTokenDeps,
} from './create-stream-token.ts'

export interface CreateSessionDeps extends StreamTokenDeps {
  defaults: { defaultDialect: DialectName; queueId: string | null }
}

export function createSessionRoute(app: App, deps: CreateSessionDeps) {
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
          201: CreatedSession,
          ...problems(
            ...bodyFailures,
            'origin-not-allowed',
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
      using attempt = await deps.idempotency.begin(request, principalOf(request).name)
      if (attempt.first) return sendAnswer(reply, attempt.first, true)
      const { stream } = request.body
      const own = ownOrigin(request)
      if (stream) requireStreamOrigin(deps, stream.origin, own)

      const earlier = attempt.unanswered && (await deps.sessions.get(attempt.unanswered.sessionId))
      const session =
        earlier ??
        (await deps.sessions.create(
          newSession(request.body, deps.defaults),
          callerOf(request),
          // A token is signed after the commit; until then the record only knows the session.
          (made) => attempt.record(made.id, null, stream ? null : answerFor(made)),
        ))
      if (!stream) return sendAnswer(reply, answerFor(session), earlier !== undefined)
      const answer = answerFor(session, await issueStreamToken(deps, session, stream, own))
      await attempt.answered(session.id, null, answer)
      return sendAnswer(reply, answer, earlier !== undefined)
    },
  )
}

function answerFor(session: Session, streamToken?: z.input<typeof StreamToken>): Answer {
  return {
    status: 201,
    location: `/v1/sessions/${session.id}`,
    body: JSON.stringify({ ...publicSession(session), ...(streamToken && { streamToken }) }),
    isSecret: streamToken !== undefined,
  }
}
