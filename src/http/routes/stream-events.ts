import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Clock } from '../../clock.ts'
import { type EventType, eventTypes } from '../../sessions/events.ts'
import type { Feed } from '../../sessions/feed.ts'
import { isOver } from '../../sessions/session.ts'
import type { Sessions } from '../../sessions/sessions.ts'
import type { Store } from '../../store/store.ts'
import { ownOrigin } from '../context.ts'
import { SessionParams } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'
import { type StreamAccessDeps, streamReader } from '../streams/access.ts'
import type { Connections } from '../streams/connections.ts'
import { quietEnd } from '../streams/quiet-end.ts'
import { readJournal } from '../streams/reader.ts'
import { ephemeral, isFinal, journalSource, sessionSource } from '../streams/session-source.ts'
import { SseConnection } from '../streams/sse.ts'
import { revoked } from '../streams/stream-tokens.ts'
import { invalidRequest } from '../validation.ts'

export interface StreamDeps extends StreamAccessDeps {
  sessions: Sessions
  store: Store
  feed: Feed
  clock: Clock
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
      const reader = await streamReader(deps, {
        sessionId,
        headers: request.headers,
        token: request.query.token,
        ownOrigin: ownOrigin(request),
        roles: ['app', 'ops'],
      })
      const session = await deps.sessions.get(sessionId)
      if (reader.grant && isOver(session)) throw revoked()
      const after = request.query.after ?? lastEventId(request) ?? session.sequence
      if (isOver(session) && after >= session.sequence) return reply.code(204).send(null as never)

      const sse = openSse(deps, request, reply, () => {
        stop()
        untype()
        end.cancel()
        cancelExpiry()
      })
      const end = quietEnd(deps.clock, () => sse.end())
      const stop = readJournal(sessionSource(deps.store, deps.feed, sessionId), after, {
        event: (text, sequence, event) => {
          end.saw(isFinal(event.type))
          return sse.send(text, String(sequence))
        },
        reset: (oldest) =>
          void sse.send(ephemeral('stream.reset', sessionId, deps.clock.now(), { oldest })),
        cut: () => sse.end(),
      })
      const untype = deps.feed.onTyping(sessionId, () => {
        void sse.send(ephemeral('typing', sessionId, deps.clock.now(), {}))
      })
      const cancelExpiry = reader.grant
        ? deps.clock.after(reader.grant.expiresAt - deps.clock.now(), () => sse.end())
        : () => undefined
      end.saw(isOver(session))
      return reply
    },
  )
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
      const after = request.query.after ?? lastEventId(request) ?? (await deps.store.lastPosition())
      const sse = openSse(deps, request, reply, () => stop())
      const stop = readJournal(journalSource(deps.store, deps.feed), after, {
        event: (text, position, event) =>
          !types || types.has(event.type) ? sse.send(text, String(position)) : undefined,
        reset: () => undefined,
        cut: () => sse.end(),
      })
      return reply
    },
  )
}

function openSse(
  { clock, connections }: StreamDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  onEnd: () => void,
): SseConnection {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) reply.raw.setHeader(name, value)
  }
  request.raw.socket.setNoDelay(true)
  const sse = new SseConnection(reply.raw, clock, () => {
    connections.remove(sse)
    onEnd()
  })
  connections.add(sse)
  return sse
}

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
