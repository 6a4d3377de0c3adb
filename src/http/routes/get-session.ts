import type { Sessions } from '../../sessions/sessions.ts'
import { sessionText } from '../../sessions/views.ts'
import { SessionParams } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import { GetSessionQuery, PublicSession } from '../schemas/session.ts'
import type { App } from '../server.ts'

export function getSessionRoute(app: App, { sessions }: { sessions: Sessions }) {
  app.get(
    '/v1/sessions/:sessionId',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'getSession',
        summary: 'Read a session',
        description:
          'With `wait=active` it answers once the session is no longer pending, or as it is after `timeoutMs`.',
        tags: ['Sessions'],
        params: SessionParams,
        querystring: GetSessionQuery,
        response: { 200: PublicSession, ...problems('session-not-found') },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params
      const { wait, timeoutMs } = request.query
      const session = wait
        ? await sessions.waitUntilActive(sessionId, timeoutMs, request.signal)
        : await sessions.get(sessionId)
      return reply.type('application/json; charset=utf-8').send(sessionText(session) as never)
    },
  )
}
