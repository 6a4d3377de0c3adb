/**
 * Writes openapi/asyncapi.yaml, the description of the streams, from what the code knows of them: `npm run openapi`. A
 * test compares the two. Sessions, messages and problems are those of openapi.yaml beside it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { type CloseReason, closeCodes } from '../src/http/streams/client-frames.ts'
import { eventTypes } from '../src/sessions/events.ts'
import { exampleSessionId } from './asyncapi-examples.ts'
import { messageName, messages } from './asyncapi-messages.ts'
import { ref, schemas } from './asyncapi-schemas.ts'
import {
  analyticsChannel,
  analyticsMessages,
  analyticsSchemas,
  sendAnalyticsWebhook,
  sendWebhook,
  webhookChannel,
} from './asyncapi-webhooks.ts'

export const asyncApiFile = new URL('../openapi/asyncapi.yaml', import.meta.url)

const closeMeanings: Record<CloseReason, string> = {
  token: 'The stream token has expired',
  origin: 'The origin is not allowed; refused upgrades answer 403 instead',
  session: 'There is no such session; refused upgrades answer 404 instead',
  tooSlow: 'The client did not keep up; come back with the last sequence seen',
  sessionOver: 'The session is over and everything has been sent; do not come back',
  tooManyMessages: 'More than 30 messages, or 300 frames of any kind, in 10 seconds',
  draining: 'The process stops; come back after the `retry-after-ms=` of the reason',
  trouble: 'The gateway could not read its journal; come back with the last sequence seen',
}

/** The description as YAML. */
export function describedStreams(): string {
  return stringify(document(), { lineWidth: 110, aliasDuplicateObjects: false })
}

function document() {
  const journal = eventTypes.map(messageName)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Genesys guest gateway: streams',
      version: version(),
      description: [
        'Everything that happens in a session, as CloudEvents, over Server-Sent Events or a WebSocket. `openapi.yaml` describes the REST API beside it.',
        'Each event of a session has a `sequence`, from 1 and without gaps. A reader that comes back with the last one it saw gets every later event once, in order, then what happens. `typing` and `stream.reset` are not kept and have none.',
        'Events may gain fields and new types may come within v1, so do not refuse those you do not know.',
      ].join('\n\n'),
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'Whoever runs this gateway', url: 'https://gateway.example' },
      tags: [
        { name: 'Streams', description: 'Events as they happen' },
        { name: 'Webhooks', description: 'The same, handed out' },
      ],
    },
    defaultContentType: 'application/json',
    servers: {
      https: server('https', 'For Server-Sent Events'),
      wss: server('wss', 'For the WebSocket'),
    },
    channels: {
      sessionEvents: {
        address: '/v1/sessions/{sessionId}/events',
        title: 'One session by Server-Sent Events',
        description: [
          'Begins after `Last-Event-ID`, else after `?after=`; without either, only what comes. The `id` of an event is its sequence; the stream tells it once at the start too, so that a reader that loses the connection before its first event misses nothing.',
          'A comment comes every 5 seconds. Once the session is over and everything has been sent the stream ends; asking again answers 204, on which an `EventSource` stops.',
        ].join('\n\n'),
        servers: [ref('servers/https')],
        parameters: { sessionId: ref('components/parameters/sessionId') },
        messages: named([...journal, 'typing', 'streamReset']),
      },
      allEvents: {
        address: '/v1/events',
        title: 'All sessions by Server-Sent Events',
        description:
          'Only events of the journal, for the roles `ops` and `admin`. The `id` is opaque here; give it back as `Last-Event-ID` or `?after=`.',
        servers: [ref('servers/https')],
        messages: named([...journal, 'streamReset']),
      },
      sessionSocket: {
        address: '/v1/sessions/{sessionId}/ws',
        title: 'One session by WebSocket',
        description: [
          'The same events as text frames, after `?after=` or only what comes, and frames from the client. A refused upgrade answers its HTTP status with a problem.',
          'The gateway pings every 5 seconds and between frames; a client that answers none for 10 seconds is gone. `x-close-codes` says why the gateway closes.',
        ].join('\n\n'),
        servers: [ref('servers/wss')],
        parameters: { sessionId: ref('components/parameters/sessionId') },
        messages: named([
          ...[...journal, 'typing', 'streamReset', 'ack', 'error'],
          ...['sayMessage', 'sayTyping', 'renew'],
        ]),
        bindings: {
          ws: { method: 'GET', query: query('after', 'token'), bindingVersion: '0.1.0' },
        },
        'x-close-codes': Object.fromEntries(
          Object.entries(closeCodes)
            .sort(([, one], [, other]) => one - other)
            .map(([reason, code]) => [code, closeMeanings[reason as CloseReason]]),
        ),
      },
      webhook: webhookChannel(named(journal)),
      analyticsWebhook: analyticsChannel,
    },
    operations: {
      sendWebhook,
      sendAnalyticsWebhook,
      sendSessionEvents: sends('sessionEvents', 'Follow a session', httpGet('after', 'token')),
      sendAllEvents: sends('allEvents', 'Follow all sessions', httpGet('after', 'types')),
      sendSocketEvents: {
        ...sends('sessionSocket', 'Follow a session by WebSocket'),
        messages: inChannel('sessionSocket', [...journal, 'typing', 'streamReset']),
      },
      receiveMessage: {
        ...receives('The guest says something', ['sayMessage']),
        description:
          'Needs a token with `canSend`, or an API key. At most 30 in 10 seconds. A client that did not see its `ack` says the same again under the same `id`, on this connection or a later one: for 24 hours the session answers it with the first `ack` and does not send it twice. The same `id` with another text is `idempotency-key-reused`.',
        reply: {
          channel: ref('channels/sessionSocket'),
          messages: inChannel('sessionSocket', ['ack', 'error']),
        },
      },
      receiveTyping: answeredOnRefusal('The guest is typing', ['sayTyping']),
      receiveRenewal: answeredOnRefusal('Go on with a new stream token', ['renew']),
    },
    components: {
      parameters: { sessionId: { description: '`gs_…`', examples: [exampleSessionId] } },
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'A key of `API_KEYS`' },
        streamToken: {
          type: 'httpApiKey',
          in: 'query',
          name: 'token',
          description: 'From `POST /v1/sessions/{sessionId}/stream-tokens`; for that session only',
        },
      },
      messages: { ...messages(), ...analyticsMessages },
      schemas: { ...schemas(), ...analyticsSchemas },
    },
  }
}

function server(protocol: 'https' | 'wss', description: string) {
  const security = [
    ref('components/securitySchemes/apiKey'),
    ref('components/securitySchemes/streamToken'),
  ]
  return { host: 'gateway.example', protocol, description, security }
}

function named(names: string[]) {
  return Object.fromEntries(names.map((name) => [name, ref(`components/messages/${name}`)]))
}

function inChannel(channel: string, names: string[]) {
  return names.map((name) => ref(`channels/${channel}/messages/${name}`))
}

function sends(channel: string, summary: string, bindings?: object) {
  return {
    action: 'send',
    channel: ref(`channels/${channel}`),
    summary,
    tags: [{ name: 'Streams' }],
    ...(bindings && { bindings }),
  }
}

function receives(summary: string, names: string[]) {
  return {
    action: 'receive',
    channel: ref('channels/sessionSocket'),
    summary,
    tags: [{ name: 'Streams' }],
    messages: inChannel('sessionSocket', names),
  }
}

function answeredOnRefusal(summary: string, names: string[]) {
  return {
    ...receives(summary, names),
    description: 'Answered only when it is refused.',
    reply: {
      channel: ref('channels/sessionSocket'),
      messages: inChannel('sessionSocket', ['error']),
    },
  }
}

const parameters = {
  after: { type: 'string', pattern: '^\\d{1,15}$', description: 'The last event seen; 0 for all' },
  token: { type: 'string', description: 'Stream token' },
  types: { type: 'string', description: 'Event types, comma-separated' },
}

function query(...names: (keyof typeof parameters)[]) {
  return {
    type: 'object',
    properties: Object.fromEntries(names.map((name) => [name, parameters[name]])),
  }
}

function httpGet(...names: (keyof typeof parameters)[]) {
  return { http: { method: 'GET', query: query(...names), bindingVersion: '0.3.0' } }
}

function version(): string {
  const file = new URL('../package.json', import.meta.url)
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

if (import.meta.main) writeFileSync(asyncApiFile, describedStreams())
