import type { FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import { isSettled, type Message } from '../sessions/message.ts'
import type { Remember, Sessions, Waiting } from '../sessions/sessions.ts'
import { publicMessage } from '../sessions/views.ts'
import { principalOf, waitingOf } from './context.ts'
import { type Answer, type Idempotency, sendAnswer } from './idempotency.ts'
import { problemOf } from './problem-reply.ts'

export interface MessageAnswerDeps {
  sessions: Sessions
  idempotency: Idempotency
  /** How long a repeat waits for the message of a request that was never answered. */
  patienceMs: number
}

/** Brings a message in by `run` and answers with what became of it, under the caller's `Idempotency-Key` and `Prefer`. */
export async function answerWithMessage(
  { sessions, idempotency, patienceMs }: MessageAnswerDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  run: (waiting: Waiting, remember: Remember<Message>) => Promise<Message>,
): Promise<void> {
  using attempt = await idempotency.begin(request, principalOf(request).name)
  if (attempt.first) return sendAnswer(reply, attempt.first, true)

  const waiting = waitingOf(request)
  const { unanswered } = attempt
  const message = unanswered?.messageId
    ? await sessions.outcome(unanswered.sessionId, unanswered.messageId, patienceMs)
    : await run(waiting, (accepted) =>
        attempt.record(
          accepted.sessionId,
          accepted.id,
          waiting.kind === 'async' ? messageAnswer(accepted, request) : null,
        ),
      )

  const answer = messageAnswer(message, request)
  if (message.status === 'failed' && message.error?.retryable) await attempt.release()
  else if (waiting.kind === 'wait' || unanswered) {
    await attempt.answered(message.sessionId, message.id, answer)
  }
  if (message.error?.retryAfterSeconds) {
    reply.header('retry-after', String(message.error.retryAfterSeconds))
  }
  // Without a preference a 202 is not what was asked for: the process is stopping.
  const isPreferred = waiting.kind === 'async' || waiting.waitMs !== null
  if (answer.status === 202 && isPreferred) reply.header('preference-applied', 'respond-async')
  return sendAnswer(reply, answer, unanswered !== undefined)
}

/** 201 settled, 202 still on its way, or the problem that stopped it. */
export function messageAnswer(message: Message, request: FastifyRequest): Answer {
  if (message.status === 'failed' && message.error) {
    const problem = problemOf(
      failureOf(message.error),
      request.url.split('?', 1)[0] ?? '',
      request.id,
    )
    return { status: problem.status, location: null, body: JSON.stringify(problem) }
  }
  return {
    status: isSettled(message) ? 201 : 202,
    location: `/v1/sessions/${message.sessionId}/messages/${message.id}`,
    body: JSON.stringify(publicMessage(message)),
  }
}

function failureOf(error: NonNullable<Message['error']>): GatewayError {
  const { code, detail, retryable, retryAfterSeconds, upstream } = error
  return new GatewayError(code, detail, {
    retryable,
    ...(retryAfterSeconds === null ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
    ...(upstream === null ? {} : { upstream }),
  })
}
