import { z } from 'zod'
import { eventTypes } from '../../sessions/events.ts'
import type { NewWebhook } from '../../webhooks/dispatcher.ts'
import { type Webhook, webhookFormats } from '../../webhooks/webhook.ts'
import { httpUrl, line, Timestamp } from './common.ts'

const headerName = z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'Is not a header name')
/** What HTTP can carry: one value it cannot would stop every delivery to the same host. */
const headerValue = z
  .string()
  .max(1024)
  .regex(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/, 'Is not visible ASCII')
/** Names we set ourselves, or that would change how the request is read or the connection is used. */
const reserved =
  /^(webhook-.*|x-source|x-webhook-loop|traceparent|tracestate|content-.*|host|connection|keep-alive|upgrade|expect|te|trailer|transfer-encoding|proxy-.*)$/i

export const CreateWebhook = z
  .strictObject({
    url: httpUrl.meta({
      format: 'uri',
      description: 'https, and no private address, unless settings allow it',
    }),
    eventTypes: z
      .array(z.enum(eventTypes))
      .max(eventTypes.length)
      .default([])
      .meta({ description: 'Empty for all' }),
    format: z.enum(webhookFormats).default('cloudevents'),
    headers: z
      .record(headerName, headerValue)
      .default({})
      .refine(
        (headers) => !Object.keys(headers).some((name) => reserved.test(name)),
        'Has a reserved header',
      ),
    apiKeyName: line(100).nullable().default(null).meta({
      description:
        'Name of the API key that the receiver calls this API with. Events its calls caused are delivered with `x-webhook-loop`, so that it can tell them from others',
    }),
  })
  .meta({
    id: 'CreateWebhook',
    examples: [
      {
        url: 'https://crm.example/hooks/guests',
        eventTypes: ['session.created', 'message.sent', 'message.failed'],
        format: 'cloudevents',
        headers: { 'x-tenant': 'shop' },
        apiKeyName: 'crm',
      },
    ],
  })

export function newWebhook(body: z.output<typeof CreateWebhook>): NewWebhook {
  const { url, eventTypes: types, format, headers, apiKeyName } = body
  return { url, eventTypes: types, format, headers, apiKeyName }
}

const exampleWebhook = {
  id: 'whk_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d',
  url: 'https://crm.example/hooks/guests',
  eventTypes: ['session.created', 'message.sent', 'message.failed'],
  format: 'cloudevents',
  headerNames: ['x-tenant'],
  apiKeyName: 'crm',
  createdAt: '2026-11-20T10:00:00.000Z',
  enabled: true,
  disabledReason: null,
  fromSettings: false,
}

export const WebhookView = z
  .object({
    id: z.string(),
    url: z.string(),
    eventTypes: z.array(z.enum(eventTypes)),
    format: z.enum(webhookFormats),
    headerNames: z
      .array(z.string())
      .meta({ description: 'Values may be secrets, so they are not shown' }),
    apiKeyName: z.string().nullable(),
    createdAt: Timestamp,
    enabled: z.boolean(),
    disabledReason: z.string().nullable(),
    fromSettings: z.boolean(),
  })
  .meta({
    id: 'Webhook',
    examples: [exampleWebhook],
  })

export const CreatedWebhook = WebhookView.extend({
  secret: z.string().meta({ description: 'Standard Webhooks secret; shown this once' }),
}).meta({
  id: 'CreatedWebhook',
  examples: [{ ...exampleWebhook, secret: 'whsec_bm90LWEtcmVhbC1zZWNyZXQ=' }],
})

export const WebhookPage = z
  .object({ items: z.array(WebhookView), nextCursor: z.null() })
  .meta({ id: 'WebhookPage', examples: [{ items: [exampleWebhook], nextCursor: null }] })

export function webhookView(webhook: Webhook): z.input<typeof WebhookView> {
  const {
    id,
    url,
    eventTypes: types,
    format,
    headers,
    apiKeyName,
    createdAt,
    disabledReason,
    fromSettings,
  } = webhook
  return {
    id,
    url,
    eventTypes: types,
    format,
    headerNames: Object.keys(headers),
    apiKeyName,
    createdAt: new Date(createdAt).toISOString(),
    enabled: disabledReason === null,
    disabledReason,
    fromSettings,
  }
}

const AttemptView = z.object({
  eventId: z.string(),
  type: z.enum(eventTypes),
  at: Timestamp,
  attempt: z.int(),
  status: z.int().nullable(),
  error: z.string().nullable(),
  durationMs: z.number(),
})

export const Deliveries = z
  .object({
    attempts: z.array(AttemptView).meta({ description: 'The latest, newest first' }),
    failing: z
      .object({ eventId: z.string(), attempts: z.int(), since: Timestamp, nextAt: Timestamp })
      .nullable(),
    deadLetters: z.array(
      z.object({
        eventId: z.string(),
        type: z.enum(eventTypes),
        at: Timestamp,
        attempts: z.int(),
        error: z.string(),
      }),
    ),
  })
  .meta({
    id: 'Deliveries',
    examples: [
      {
        attempts: [
          {
            eventId: 'evt_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d',
            type: 'message.sent',
            at: '2026-11-20T10:00:02.010Z',
            attempt: 1,
            status: 204,
            error: null,
            durationMs: 31,
          },
        ],
        failing: null,
        deadLetters: [],
      },
    ],
  })

export const ReplayWebhook = z
  .strictObject({ from: z.string().meta({ description: 'Event id; that event included' }) })
  .meta({ id: 'ReplayWebhook', examples: [{ from: 'evt_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d' }] })

export const WebhookParams = z.object({
  webhookId: z
    .string()
    .min(1)
    .meta({
      description: '`whk_…`',
      examples: ['whk_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d'],
    }),
})
