import { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { GatewayError } from '../../errors.ts'
import type { Messages } from '../../sessions/messages.ts'
import { messageAnswer } from '../answer-message.ts'
import { acceptLines } from '../bodies.ts'
import { callerOf, waitingOf } from '../context.ts'
import { inOrder } from '../in-order.ts'
import { type Line, readLines } from '../ndjson.ts'
import { problemOf } from '../problem-reply.ts'
import { BatchBody, BatchLine, BatchResults } from '../schemas/batch.ts'
import { newMessage } from '../schemas/message.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'
import { parseOrRefuse } from '../validation.ts'

const maxBytes = 1024 * 1024
/** Sessions with a line being sent, or with a result that was not taken; reading pauses at so many. */
const maxInFlight = 64
/** Lines that wait for an earlier one of their session. */
const maxWaiting = 10_000

export function injectBatchRoute(app: App, { messages }: { messages: Messages }) {
  app.register(async (own) => {
    const scope = own as unknown as App
    acceptLines(own)
    scope.post(
      '/v1/messages/batch',
      {
        config: { roles: ['app'] },
        schema: {
          operationId: 'injectBatch',
          summary: 'Inject many messages',
          description:
            'One `BatchLine` a line in, one `BatchResult` a line out, as they finish. Messages of one session keep the order of their lines; a session that is slow holds up no other; a line that cannot be used is refused alone. What is over 1 MiB is not taken.',
          tags: ['Messages'],
          body: { content: { 'application/x-ndjson': { schema: BatchBody } } },
          response: {
            200: {
              description: 'One result a line, in the order they finish',
              content: { 'application/x-ndjson': { schema: BatchResults } },
            },
            ...problems(...bodyFailures),
          },
        },
      },
      async (request, reply) => {
        const body: unknown = request.body
        if (!(body instanceof Readable)) {
          throw new GatewayError('unsupported-media-type', 'A batch is application/x-ndjson')
        }
        if (Number(request.headers['content-length'] ?? 0) > maxBytes) {
          throw new GatewayError('body-too-large', `The body is over ${maxBytes} bytes`)
        }
        const results = inOrder({
          items: readLines(body, maxBytes),
          keyOf: sessionIdOf,
          run: (line) => resultOf(messages, line, request),
          limit: maxInFlight,
          maxWaiting,
        })
        return reply.type('application/x-ndjson').send(Readable.from(results) as never)
      },
    )
  })
}

function sessionIdOf(line: Line): unknown {
  if ('error' in line || typeof line.value !== 'object' || line.value === null) return undefined
  return (line.value as { sessionId?: unknown }).sessionId
}

/** Never rejects: a line's failure is its result. */
async function resultOf(messages: Messages, line: Line, request: FastifyRequest): Promise<string> {
  try {
    if ('error' in line) throw line.error
    const { sessionId, ...message } = parseOrRefuse(BatchLine, line.value)
    const injected = await messages.inject(
      sessionId,
      newMessage(message),
      callerOf(request),
      waitingOf(request),
    )
    const { status, body } = messageAnswer(injected, request)
    const field = status < 400 ? 'message' : 'problem'
    return `{"line":${line.number},"status":${status},"${field}":${body}}\n`
  } catch (error) {
    if (!(error instanceof GatewayError))
      request.log.error({ err: error, requestId: request.id }, 'batch line failed')
    const failure =
      error instanceof GatewayError ? error : new GatewayError('overloaded', 'The line failed')
    const problem = problemOf(failure, '/v1/messages/batch', request.id)
    return `${JSON.stringify({ line: line.number, status: problem.status, problem })}\n`
  }
}
