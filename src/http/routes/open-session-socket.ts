import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import { SessionParams } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

/** Upgrades are taken before they reach a route (streams/upgrade.ts); what comes here did not ask for one. */
export function openSessionSocketRoute(app: App) {
  app.get(
    '/v1/sessions/:sessionId/ws',
    {
      config: { ownAccess: true },
      schema: {
        operationId: 'openSessionSocket',
        summary: 'Follow a session by WebSocket, and speak in it',
        description:
          'The same events as frames, from `?after=` on. The client may send `message`, `typing` and `renew` frames; openapi/asyncapi.yaml describes them and the close codes. Needs an upgrade, with an API key or `?token=`.',
        tags: ['Streams'],
        params: SessionParams,
        querystring: z.strictObject({
          after: z
            .string()
            .max(15)
            .optional()
            .meta({ description: 'Sequence of the last event seen' }),
          token: z.string().max(4096).optional().meta({ description: 'Stream token' }),
        }),
        response: {
          101: z.null().meta({ description: 'A WebSocket from here on' }),
          ...problems('session-not-found', 'origin-not-allowed'),
        },
      },
    },
    async () => {
      throw new GatewayError('invalid-request', 'This route takes WebSocket upgrades only')
    },
  )
}
