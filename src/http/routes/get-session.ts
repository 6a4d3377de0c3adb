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
    (request, reply) => {
      const { sessionId } = request.params
      const { wait, timeoutMs } = request.query
      const answer = (text: string) => {
        reply.header('content-type', 'application/json; charset=utf-8').send(text as never)
      }
      // One that is in memory is answered here and now: a promise or two would cost more than the answer.
      const known = wait ? undefined : sessions.peekText(sessionId)
      if (known !== undefined) return answer(known)
      const session = wait
        ? sessions.waitUntilActive(sessionId, timeoutMs, request.signal)
        : sessions.get(sessionId)
      return session.then(sessionText).then(answer)
    },
  )
}
