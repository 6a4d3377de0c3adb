/** Webhooks in openapi/asyncapi.yaml: the same events, handed to whoever asked for them by `POST /v1/webhooks`. */
import { ref } from './asyncapi-schemas.ts'

/** `messages` are the events of the journal. */
export function webhookChannel(messages: object): object {
  return {
    // Every destination has its own.
    address: null,
    title: 'A destination of webhooks',
    description: [
      'Every event of the destination’s `eventTypes` by POST, as `application/cloudevents+json`, in the order of the journal, at least once: any status of 2xx within 5 seconds takes it. Others are retried, first within 10 seconds, 12 times over more than 48 hours, or when `Retry-After` says; then the event is a dead letter. 410 disables the destination. Redirects are not followed.',
      'Signed by Standard Webhooks: `webhook-id` (the event’s `id`, the same over retries), `webhook-timestamp` (of this try) and `webhook-signature`. `x-source` is `genesys-guest-gateway`; `traceparent` and `tracestate` are in the trace of the request that led to it; `x-webhook-loop` is there when a call with the destination’s own `apiKeyName` caused the event.',
      'With `format: analytics` the body is flat JSON instead, for two kinds of events only: `{event: "session_started", timestamp, conversation_id, visitor_id, latency_ms}`, and `{event_type: "message_transmission", guest_id, conversation_id, status, latency_ms, timestamp, error}` with the status `success`, `failed` or `unconfirmed`.',
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
