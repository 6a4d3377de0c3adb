import { answerWithMessage, type MessageAnswerDeps } from '../answer-message.ts'
import { callerOf } from '../context.ts'
import { SessionParams } from '../schemas/common.ts'
import { InjectMessage, newMessage, PublicMessage } from '../schemas/message.ts'
import { sendFailures } from '../schemas/outcomes.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export function injectMessageRoute(app: App, deps: MessageAnswerDeps) {
  app.post(
    '/v1/sessions/:sessionId/messages',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'injectMessage',
        summary: 'Inject a message',
        description:
          'Answers 201 once the platform has it (or nobody can say: `unconfirmed`). With `Prefer: respond-async`, or when `Prefer: wait=N` runs out, 202: it is durable, leaves in its order, and waits for its session.',
        tags: ['Messages'],
        params: SessionParams,
        body: InjectMessage,
        response: {
          201: PublicMessage,
          202: PublicMessage,
          ...problems(
            ...bodyFailures,
            ...sendFailures,
            'attachment-too-large',
            'conversation-mismatch',
            'content-blocked',
            'attachment-type-not-allowed',
            'author-not-supported',
            'not-supported-by-dialect',
            'idempotency-key-in-progress',
            'idempotency-key-reused',
          ),
        },
      },
    },
    (request, reply) =>
      answerWithMessage(deps, request, reply, (waiting, remember) =>
        deps.messages.inject(
          request.params.sessionId,
          newMessage(request.body),
          callerOf(request),
          waiting,
          remember,
        ),
      ),
  )
}
