import { GatewayError } from '../../errors.ts'
import type { App } from '../server.ts'

/** Upgrades are taken before they reach a route (streams/upgrade.ts); what comes here did not ask for one. */
export function openSessionSocketRoute(app: App) {
  app.get(
    '/v1/sessions/:sessionId/ws',
    {
      config: { ownAccess: ['app'] },
      // A WebSocket is not OpenAPI's to describe: openapi/asyncapi.yaml does.
      schema: { hide: true },
    },
    async () => {
      throw new GatewayError('invalid-request', 'This route takes WebSocket upgrades only')
    },
  )
}
