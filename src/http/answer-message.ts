import type { FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'
import { isSettled, type Message, type MessageError } from '../sessions/message.ts'
import type { Injected, Messages, Remember, Waiting } from '../sessions/messages.ts'
import { publicMessage } from '../sessions/views.ts'
import { principalOf, waitingOf } from './context.ts'
import { type Answer, type Idempotency, sendAnswer } from './idempotency.ts'
import { problemOf } from './problem-reply.ts'

export interface MessageAnswerDeps {
  messages: Messages
  idempotency: Idempotency
  /** How long a repeat waits for the message of a request that was never answered. */
  patienceMs: number
}

/** Brings a message in by `run` and answers with what became of it, under the caller's `Idempotency-Key` and `Prefer`. */
export async function answerWithMessage(
  { messages, idempotency, patienceMs }: MessageAnswerDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  run: (waiting: Waiting, remember: Remember<Message>) => Promise<Injected>,
): Promise<void> {
  using attempt = await idempotency.begin(request, principalOf(request).name)
  if (attempt.first) return sendAnswer(reply, attempt.first, true)

  const waiting = waitingOf(request)
  const { unanswered } = attempt
  const injected = unanswered?.messageId
    ? await messages.outcome(
        unanswered.sessionId,
        unanswered.messageId,
        waiting.kind === 'async' ? 0 : (waiting.waitMs ?? patienceMs),
      )
    : await run(waiting, (accepted) => {
        const answer =
          waiting.kind === 'async'
            ? messageAnswer({ message: accepted, outcome: undefined }, request)
            : null
        return attempt.record(accepted.sessionId, accepted.id, answer)
      })

  const answer = messageAnswer(injected, request)
  if (answer.retryAfterSeconds !== null) {
    reply.header('retry-after', String(answer.retryAfterSeconds))
  }
  if (answer.isRetryable) await attempt.release()
  else if (waiting.kind === 'wait' || unanswered) {
    await attempt.answered(injected.message.sessionId, injected.message.id, answer)
  }
  // Without a preference a 202 is not what was asked for: the process is stopping.
  const isPreferred = waiting.kind === 'async' || waiting.waitMs !== null
  if (answer.status === 202 && isPreferred) reply.header('preference-applied', 'respond-async')
  return sendAnswer(reply, answer, unanswered !== undefined)
}

export interface MessageAnswer extends Answer {
  /** Repeating the request can help. */
  isRetryable: boolean
  retryAfterSeconds: number | null
}

/** 201 settled, 202 still on its way, or the problem that stopped it. */
export function messageAnswer(
  { message, outcome }: Injected,
  request: FastifyRequest,
): MessageAnswer {
  // The event carries the message as it goes to callers, so it need not be made again.
  const data = outcome && outcome.type !== 'message.failed' ? outcome.data : undefined
  const error =
    outcome?.type === 'message.failed'
      ? (JSON.parse(outcome.data) as { error: MessageError }).error
      : message.status === 'failed'
        ? message.error
        : null
  if (error) {
    const path = request.url.split('?', 1)[0] ?? ''
    const problem = problemOf(failureOf(error), path, request.id)
    const { status, retryable: isRetryable, retryAfterSeconds } = problem
    return { status, location: null, body: JSON.stringify(problem), isRetryable, retryAfterSeconds }
  }
  return {
    status: data !== undefined || isSettled(message) ? 201 : 202,
    location: `/v1/sessions/${message.sessionId}/messages/${message.id}`,
    body: data ?? JSON.stringify(publicMessage(message)),
    isRetryable: false,
    retryAfterSeconds: null,
  }
}

function failureOf(error: MessageError): GatewayError {
  const { code, detail, retryable, retryAfterSeconds, upstream } = error
  return new GatewayError(code, detail, {
    retryable,
    ...(retryAfterSeconds === null ? {} : { retryAfterMs: retryAfterSeconds * 1000 }),
    ...(upstream === null ? {} : { upstream }),
  })
}
