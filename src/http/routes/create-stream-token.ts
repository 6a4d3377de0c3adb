import type { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { checkOpen, type Session } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import { ownOrigin, principalOf } from '../context.ts'
import { type Idempotency, sendAnswer } from '../idempotency.ts'
import type { Origins } from '../origins.ts'
import { SessionParams } from '../schemas/common.ts'
import { bodyFailures, problems } from '../schemas/problem.ts'
import { AskStreamToken, StreamToken } from '../schemas/stream-token.ts'
import type { App } from '../server.ts'
import type { StreamTokens } from '../streams/stream-tokens.ts'

export interface StreamTokenDeps {
  sessions: Sessions
  idempotency: Idempotency
  tokens: StreamTokens
  origins: Origins
  clock: Clock
  /** Origin that answers name the gateway by; null means the request's host. */
  publicUrl: string | null
}

/** Throws `origin-not-allowed`, unless it is the gateway's own or on the allowlist. */
export function requireStreamOrigin(
  { origins, publicUrl }: Pick<StreamTokenDeps, 'origins' | 'publicUrl'>,
  origin: string,
  own: string,
): void {
  if (origin !== own && origin !== publicUrl) origins.require(origin)
}

/** Issues a token for a session that is not over, from an origin that was checked. */
export async function issueStreamToken(
  { tokens, publicUrl }: Pick<StreamTokenDeps, 'tokens' | 'publicUrl'>,
  session: Session,
  asked: z.output<typeof AskStreamToken>,
  own: string,
): Promise<z.input<typeof StreamToken>> {
  const { origin, canSend, ttlSeconds } = asked
  const { token, expiresAt } = await tokens.issue(
    { sessionId: session.id, origin, canSend },
    ttlSeconds,
  )
  const base = `${publicUrl ?? own}/v1/sessions/${session.id}`
  return {
    token,
    expiresAt: new Date(expiresAt).toISOString(),
    websocketUrl: `${base.replace(/^http/, 'ws')}/ws?token=${token}`,
    eventsUrl: `${base}/events?token=${token}`,
  }
}

export function createStreamTokenRoute(app: App, deps: StreamTokenDeps) {
  app.post(
    '/v1/sessions/:sessionId/stream-tokens',
    {
      config: { roles: ['app'] },
      schema: {
        operationId: 'createStreamToken',
        summary: 'Give a browser a token for one session',
        description:
          'For a back end whose page follows a session: the token opens that session’s streams and nothing else. The page’s origin must be one of `ALLOWED_ORIGINS`, or the gateway’s own. With `canSend` it may also send the guest’s own messages, as frames of the WebSocket; no other route takes it.',
        tags: ['Streams'],
        params: SessionParams,
        body: AskStreamToken,
        response: {
          201: StreamToken,
          ...problems(
            ...bodyFailures,
            'session-not-found',
            'session-closed',
            'origin-not-allowed',
            'idempotency-key-in-progress',
            'idempotency-key-reused',
          ),
        },
      },
    },
    async (request, reply) => {
      using attempt = await deps.idempotency.begin(request, principalOf(request).name)
      if (attempt.first) return sendAnswer(reply, attempt.first, true)
      const session = await deps.sessions.get(request.params.sessionId)
      checkOpen(session)
      const own = ownOrigin(request)
      requireStreamOrigin(deps, request.body.origin, own)
      const issued = await issueStreamToken(deps, session, request.body, own)
      const answer = { status: 201, location: null, body: JSON.stringify(issued), isSecret: true }
      await attempt.answered(session.id, null, answer)
      return sendAnswer(reply, answer, false)
    },
  )
}
