import type { Caller } from '../../sessions/caller.ts'
import type { Session } from '../../sessions/session.ts'
import { publicSession } from '../../sessions/views.ts'
import { callerOf } from '../context.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { PublicSession } from '../schemas/session.ts'
import type { App } from '../server.ts'

export interface EraseDataDeps {
  eraseData(id: string, caller: Caller): Promise<Session>
}

export function eraseDataRoute(app: App, { eraseData }: EraseDataDeps) {
  app.delete(
    '/v1/sessions/:sessionId/data',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'eraseData',
        summary: 'Erase personal data',
        description:
          'Takes the guest (id, name, email, locale, attributes), the metadata and everything that was said out of the session, its messages, its events and the answers kept under idempotency keys, for good; a session that is not over is closed first. What remains keeps its shape. Requests of this session under an `Idempotency-Key` that is repeated are refused as `idempotency-key-reused`. The audit says who asked. Again changes nothing.',
        tags: ['Sessions'],
        params: SessionParams,
        response: { 200: PublicSession, ...problems(...bodyFailures, 'session-not-found') },
      },
    },
    async (request) => publicSession(await eraseData(request.params.sessionId, callerOf(request))),
  )
}
