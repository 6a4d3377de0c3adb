import { answerWithMessage, type MessageAnswerDeps } from '../answer-message.ts'
import { callerOf } from '../context.ts'
import { MessageParams } from '../schemas/common.ts'
import { PublicMessage } from '../schemas/message.ts'
import { sendFailures } from '../schemas/outcomes.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export function retryMessageRoute(app: App, deps: MessageAnswerDeps) {
  app.post(
    '/v1/sessions/:sessionId/messages/:messageId/retry',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'retryMessage',
        summary: 'Send a message again',
        description:
          'For `failed` and `unconfirmed` messages. An `unconfirmed` one may have arrived: sending it again can double it, and that is the caller’s decision.',
        tags: ['Messages'],
        params: MessageParams,
        response: {
          201: PublicMessage,
          202: PublicMessage,
          ...problems(
            ...bodyFailures,
            ...sendFailures,
            'message-not-found',
            'message-not-retryable',
            'idempotency-key-in-progress',
            'idempotency-key-reused',
          ),
        },
      },
    },
    (request, reply) =>
      answerWithMessage(deps, request, reply, (waiting, remember) =>
        deps.messages.retry(
          request.params.sessionId,
          request.params.messageId,
          callerOf(request),
          waiting,
          remember,
        ),
      ),
  )
}
