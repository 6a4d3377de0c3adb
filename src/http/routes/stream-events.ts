import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type EventType, eventTypes } from '../../sessions/events.ts'
import { isOver, type Session } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { Store } from '../../store/store.ts'
import { SessionParams } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'
import { type StreamAccessDeps, streamReader } from '../streams/access.ts'
import type { Connections } from '../streams/connections.ts'
import { lineOf } from '../streams/event-text.ts'
import { type FollowDeps, followSession } from '../streams/follow-session.ts'
import { readJournal } from '../streams/reader.ts'
import { ephemeral, journalSource } from '../streams/session-source.ts'
import { eventStreamHeaders, SseConnection } from '../streams/sse.ts'
import { invalidRequest } from '../validation.ts'

export interface StreamDeps extends StreamAccessDeps, FollowDeps {
  sessions: Sessions
  connections: Connections
}

const cursor = z
  .string()
  .regex(/^\d{1,15}$/, 'Is not a cursor')
  .transform(Number)
  .optional()
const eventStream = {
  description: 'CloudEvents 1.0 as Server-Sent Events',
  content: {
    'text/event-stream': {
      schema: z.string().meta({
        examples: [
          'id: 1\ndata: {"specversion":"1.0","id":"evt_019dab5c-7a11-7d02-8e5f-1a2b3c4d5e6f","source":"genesys-guest-gateway","type":"session.created","subject":"gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e","time":"2026-11-20T10:00:00.000Z","sequence":1,"datacontenttype":"application/json","data":{}}\n\n',
        ],
      }),
    },
  },
}

export function streamSessionEventsRoute(app: App, deps: StreamDeps) {
  app.get(
    '/v1/sessions/:sessionId/events',
    {
      config: { ownAccess: ['app', 'ops'] },
      schema: {
        operationId: 'streamSessionEvents',
        summary: 'Follow a session',
        description:
          'Replays what came after `Last-Event-ID` or `?after=` (0 is everything; without either, only what comes), then follows. A session that is over ends the stream; asking again answers 204.',
        tags: ['Streams'],
        params: SessionParams,
        querystring: z.strictObject({
          after: cursor.meta({ description: 'Sequence of the last event seen' }),
          token: z.string().max(4096).optional().meta({ description: 'Stream token' }),
        }),
        response: {
          200: eventStream,
          204: z.null().meta({ description: 'The session is over and there is nothing more' }),
          ...problems('session-not-found', 'origin-not-allowed'),
        },
      },
    },
    async (request, reply) => {
      const { sessionId } = request.params
      const { grant, budget } = await streamReader(deps, {
        sessionId,
        headers: request.headers,
        token: request.query.token,
        host: request.host,
        roles: ['app', 'ops'],
      })
      if (budget) reply.header('ratelimit-policy', budget.policy)
      if (budget) reply.header('ratelimit', budget.remaining)
      const session = await deps.sessions.get(sessionId)
      const given = lastEventId(request) ?? request.query.after
      const after = given ?? session.sequence
      if (await isAllSeen(deps.store, session, after)) return reply.code(204).send(null as never)

      return answerWithStream(deps, request, reply, given === undefined ? after : null, (sse) => {
        const stop = followSession(deps, session, after, {
          send: (event) => sse.send(lineOf(event), event.sequence),
          tell: (text) => sse.tell(text),
          mention: (text) => sse.mention(text),
          over: () => sse.end(),
          cut: () => sse.end(),
        })
        sse.whenEnded(stop)
        if (!grant) return
        sse.whenEnded(deps.clock.after(grant.expiresAt - deps.clock.now(), () => sse.end()))
      })
    },
  )
}

/** There will be no more events than the client has. */
async function isAllSeen(store: Store, session: Session, after: number): Promise<boolean> {
  if (!isOver(session) || after !== session.sequence) return false
  return (await store.unsettledMessages(session.id)).length === 0
}

export function streamAllEventsRoute(app: App, deps: StreamDeps) {
  app.get(
    '/v1/events',
    {
      config: { roles: ['ops'] },
      schema: {
        operationId: 'streamAllEvents',
        summary: 'Follow all sessions',
        description:
          'Gives what comes; with `Last-Event-ID` or `?after=`, opaque here, first what came since.',
        tags: ['Streams'],
        querystring: z.strictObject({
          types: z
            .string()
            .max(1000)
            .optional()
            .meta({ description: 'Event types, comma-separated' }),
          after: cursor.meta({ description: '`id` of the last event seen' }),
        }),
        response: { 200: eventStream, ...problems() },
      },
    },
    async (request, reply) => {
      const types = wantedTypes(request.query.types)
      const { store, feed, clock } = deps
      const given = lastEventId(request) ?? request.query.after
      const after = given ?? (await store.lastPosition())
      return answerWithStream(deps, request, reply, given === undefined ? after : null, (sse) => {
        const stop = readJournal(journalSource(store, feed), after, {
          event: (event, position) =>
            !types || types.has(event.type) ? sse.send(lineOf(event), position) : undefined,
          reset: (oldest) => sse.tell(ephemeral('stream.reset', null, clock.now(), { oldest })),
          idle: () => undefined,
          cut: (reason, err) => {
            if (reason === 'trouble') deps.logger.error({ err }, 'the journal cannot be read')
            sse.end()
          },
        })
        sse.whenEnded(stop)
      })
    },
  )
}

/** Answers with a stream that `follow` writes to, until either side ends it. */
function answerWithStream(
  { clock, connections }: StreamDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  cursor: number | null,
  follow: (sse: SseConnection) => void,
): FastifyReply {
  if (request.method === 'HEAD') return reply.headers(eventStreamHeaders).send()
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  request.raw.socket.setNoDelay(true)
  const sse = new SseConnection(reply.raw, clock, cursor)
  connections.add(sse)
  sse.whenEnded(() => connections.remove(sse))
  follow(sse)
  return reply
}

/** What the client says itself wins over its URL, which is still that of its first request when it comes back. */
function lastEventId(request: FastifyRequest): number | undefined {
  const id = request.headers['last-event-id']
  if (id === undefined || id === '') return undefined
  if (typeof id === 'string' && /^\d{1,15}$/.test(id)) return Number(id)
  throw invalidRequest([{ pointer: 'header:last-event-id', detail: 'is not a cursor' }])
}

function wantedTypes(list: string | undefined): Set<string> | undefined {
  if (list === undefined) return undefined
  const types = list.split(',').map((type) => type.trim())
  const unknown = types.filter((type) => !eventTypes.includes(type as EventType))
  if (unknown.length === 0) return new Set(types)
  throw invalidRequest([{ pointer: '?types', detail: `has unknown types: ${unknown.join(', ')}` }])
}
