import type { Sessions } from '../../sessions/sessions.ts'
import { publicSession } from '../../sessions/views.ts'
import { problems } from '../schemas/problem.ts'
import { ListSessionsQuery, SessionPage } from '../schemas/session.ts'
import type { App } from '../server.ts'

export function listSessionsRoute(app: App, { sessions }: { sessions: Sessions }) {
  app.get(
    '/v1/sessions',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'listSessions',
        summary: 'List sessions',
        description: 'Newest first. All filters given must match.',
        tags: ['Sessions'],
        querystring: ListSessionsQuery,
        response: { 200: SessionPage, ...problems() },
      },
    },
    async (request) => {
      const { limit, cursor, ...filter } = request.query
      const page = await sessions.list(filter, { limit, cursor })
      return { items: page.items.map(publicSession), nextCursor: page.nextCursor }
    },
  )
}
