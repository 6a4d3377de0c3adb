import type { Messages } from '../../sessions/messages.ts'
import { publicMessage } from '../../sessions/views.ts'
import { PageQuery, SessionParams } from '../schemas/common.ts'
import { MessagePage } from '../schemas/message.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export function listMessagesRoute(app: App, { messages }: { messages: Messages }) {
  app.get(
    '/v1/sessions/:sessionId/messages',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'listMessages',
        summary: 'Read the transcript',
        description: 'Both directions, in order.',
        tags: ['Messages'],
        params: SessionParams,
        querystring: PageQuery,
        response: { 200: MessagePage, ...problems('session-not-found') },
      },
    },
    async (request) => {
      const page = await messages.list(request.params.sessionId, request.query)
      return { items: page.items.map(publicMessage), nextCursor: page.nextCursor }
    },
  )
}
