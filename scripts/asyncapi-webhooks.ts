/** Webhooks in openapi/asyncapi.yaml: the same events, handed to whoever asked for them by `POST /v1/webhooks`. */
import { object, ref } from './asyncapi-schemas.ts'

/** `messages` are the events of the journal. */
export function webhookChannel(messages: object): object {
  return {
    // Every destination has its own.
    address: null,
    title: 'A destination of webhooks',
    description: [
      'Every event of the destination’s `eventTypes` by POST, as `application/cloudevents+json`, in the order of the journal, at least once: any status of 2xx within 5 seconds takes it. Others are retried, first within 10 seconds, 12 times over more than 48 hours, or when `Retry-After` says; then the event is a dead letter. 410 disables the destination. Redirects are not followed.',
      'Signed by Standard Webhooks: `webhook-id` (the event’s `id`, the same over retries), `webhook-timestamp` (of this try) and `webhook-signature`. `x-source` is `genesys-guest-gateway`; `traceparent` and `tracestate` are in the trace of the request that led to it; `x-webhook-loop` is there when a call with the destination’s own `apiKeyName` caused the event.',
      'This is `format: cloudevents`; a destination with `format: analytics` is told as `analyticsWebhook` says.',
    ].join('\n\n'),
    messages,
  }
}

export const sendWebhook = {
  action: 'send',
  channel: ref('channels/webhook'),
  summary: 'Tell a destination',
  tags: [{ name: 'Webhooks' }],
  bindings: { http: { method: 'POST', bindingVersion: '0.3.0' } },
}

export const analyticsChannel = {
  address: null,
  title: 'A destination of webhooks with the analytics format',
  description:
    'Flat JSON, as `application/json`, for two kinds of events only: `session.created`, and `message.sent`, `message.failed` or `message.unconfirmed`. Delivered and signed like those of `webhook`.',
  messages: {
    sessionStarted: ref('components/messages/sessionStarted'),
    messageTransmission: ref('components/messages/messageTransmission'),
  },
}

export const sendAnalyticsWebhook = {
  ...sendWebhook,
  channel: ref('channels/analyticsWebhook'),
  summary: 'Tell a destination what analytics count',
}

const timestamp = { type: 'string', format: 'date-time' }
const idOrNull = { type: ['string', 'null'] }
const latencyMs = { type: 'number', minimum: 0 }

export const analyticsSchemas = {
  SessionStarted: object({
    event: { const: 'session_started' },
    timestamp,
    conversation_id: idOrNull,
    visitor_id: { type: 'string', description: 'Yours where you gave one, else the guest’s' },
    latency_ms: { ...latencyMs, description: 'Of making the guest' },
  }),
  MessageTransmission: object({
    event_type: { const: 'message_transmission' },
    guest_id: idOrNull,
    conversation_id: idOrNull,
    status: { type: 'string', enum: ['success', 'failed', 'unconfirmed'] },
    latency_ms: { ...latencyMs, description: '0 where it was not sent' },
    timestamp,
    error: { type: ['string', 'null'] },
  }),
}

const ids = {
  conversation_id: '98765432-10ab-4def-9234-567890abcdef',
  guest_id: 'a1b2c3d4-e5f6-4890-abcd-ef1234567890',
}

export const analyticsMessages = {
  sessionStarted: {
    name: 'session_started',
    title: 'The guest was made on the platform',
    contentType: 'application/json',
    payload: ref('components/schemas/SessionStarted'),
    examples: [
      {
        payload: {
          event: 'session_started',
          timestamp: '2026-11-20T10:00:00.120Z',
          conversation_id: ids.conversation_id,
          visitor_id: 'visitor-88421',
          latency_ms: 84,
        },
      },
    ],
  },
  messageTransmission: {
    name: 'message_transmission',
    title: 'What became of a message',
    contentType: 'application/json',
    payload: ref('components/schemas/MessageTransmission'),
    examples: [
      {
        payload: {
          event_type: 'message_transmission',
          guest_id: ids.guest_id,
          conversation_id: ids.conversation_id,
          status: 'success',
          latency_ms: 41,
          timestamp: '2026-11-20T10:00:01.741Z',
          error: null,
        },
      },
    ],
  },
}
