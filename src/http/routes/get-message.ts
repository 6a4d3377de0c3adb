import type { Messages } from '../../sessions/messages.ts'
import { publicMessage } from '../../sessions/views.ts'
import { MessageParams } from '../schemas/common.ts'
import { PublicMessage } from '../schemas/message.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export function getMessageRoute(app: App, { messages }: { messages: Messages }) {
  app.get(
    '/v1/sessions/:sessionId/messages/:messageId',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'getMessage',
        summary: 'Read a message',
        description: 'As it stands now; `status` tells whether the platform has it.',
        tags: ['Messages'],
        params: MessageParams,
        response: { 200: PublicMessage, ...problems('session-not-found', 'message-not-found') },
      },
    },
    async (request) => {
      const { sessionId, messageId } = request.params
      return publicMessage(await messages.get(sessionId, messageId))
    },
  )
}
