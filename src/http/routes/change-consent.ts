import type { Sessions } from '../../sessions/sessions.ts'
import { publicSession } from '../../sessions/views.ts'
import { callerOf } from '../context.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { ConsentFlags, PublicSession } from '../schemas/session.ts'
import type { App } from '../server.ts'

export function changeConsentRoute(app: App, { sessions }: { sessions: Sessions }) {
  app.put(
    '/v1/sessions/:sessionId/consent',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'changeConsent',
        summary: 'Change what the guest consents to',
        description:
          'Every change is an event of the session, with the time and the key that made it. Where the dialect takes no consent (`capabilities.consent`) it is a record, which no region asks for.',
        tags: ['Sessions'],
        params: SessionParams,
        body: ConsentFlags,
        response: {
          200: PublicSession,
          ...problems(...bodyFailures, 'session-not-found', 'session-closed', 'consent-required'),
        },
      },
    },
    async (request) =>
      publicSession(
        await sessions.changeConsent(request.params.sessionId, request.body, callerOf(request)),
      ),
  )
}
