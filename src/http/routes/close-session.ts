import type { Sessions } from '../../sessions/sessions.ts'
import { publicSession } from '../../sessions/views.ts'
import { callerOf } from '../context.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { PublicSession } from '../schemas/session.ts'
import type { App } from '../server.ts'

export function closeSessionRoute(app: App, { sessions }: { sessions: Sessions }) {
  app.delete(
    '/v1/sessions/:sessionId',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'closeSession',
        summary: 'Close a session',
        description:
          'Ends it here, and on the platform where the dialect can. Messages still waiting fail with `session-closed`. Closing a session that is over answers it as it is.',
        tags: ['Sessions'],
        params: SessionParams,
        response: { 200: PublicSession, ...problems(...bodyFailures, 'session-not-found') },
      },
    },
    async (request) =>
      publicSession(await sessions.close(request.params.sessionId, callerOf(request))),
  )
}
