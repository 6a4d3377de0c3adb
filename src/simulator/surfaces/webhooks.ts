/**
 * Webhooks the platform calls. Registered with a filter of events; delivered once, best effort, without retry.
 *
 *   POST /api/v2/webhooks
 *     { name, uri, method?, enabled?, eventFilters: [{ predicate: { type: 'event', values: [type] } }], headers? }
 *     → { id, …the same }
 *   GET  /api/v2/webhooks            → { entities, total }
 *   delivery: METHOD uri, the headers, { id, type, timestamp, data }
 */
import { z } from 'zod'
import type { Answer } from '../answer.ts'
import { invalidBody, platformError } from '../platform-error.ts'
import type { PlatformEvent } from '../platform-events.ts'
import type { Call, Coverage, Surface } from '../surface.ts'
import type { World } from '../world.ts'

const scopes = ['webhooks:readwrite']
const path = '/api/v2/webhooks'
const timeoutMs = 5_000

const NewWebhook = z.object({
  name: z.string().trim().min(1),
  uri: z.url({ protocol: /^https?$/ }),
  method: z.enum(['POST', 'PUT']).default('POST'),
  enabled: z.boolean().default(true),
  eventFilters: z
    .array(
      z.object({
        predicate: z.object({ type: z.literal('event'), values: z.array(z.string()).min(1) }),
      }),
    )
    .min(1),
  headers: z.record(z.string(), z.string()).default({}),
})
type Webhook = z.infer<typeof NewWebhook> & { id: string }

export function webhooks({ chance, time, events, over, behaviour }: World): Surface {
  const registered = new Map<string, Webhook>()
  let numbered = 0
  let told = 0
  events.listen((event) => {
    told += 1
    for (const webhook of registered.values()) {
      if (wants(webhook, event)) void deliver(webhook, event, told)
    }
  })
  return {
    name: 'webhooks',
    operations: [
      { name: 'createWebhook', method: 'POST', path, access: scopes, answer: create },
      {
        name: 'listWebhooks',
        method: 'GET',
        path,
        access: scopes,
        answer: () => ({
          status: 200,
          body: { entities: [...registered.values()], total: registered.size },
        }),
      },
      {
        name: 'deleteWebhook',
        method: 'DELETE',
        path: `${path}/:webhookId`,
        access: scopes,
        answer: remove,
      },
    ],
    coverage,
  }

  function create({ body }: Call): Answer {
    const parsed = NewWebhook.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    numbered += 1
    const webhook = { id: chance.uuid('webhook', numbered), ...parsed.data }
    registered.set(webhook.id, webhook)
    return { status: behaviour.createdStatus, body: webhook }
  }

  function remove({ params }: Call): Answer {
    if (registered.delete(params.webhookId ?? '')) return { status: 204 }
    return platformError(404, 'not.found', 'Unable to find webhook {id}', {
      params: { id: params.webhookId ?? '' },
    })
  }

  async function deliver({ id, uri, method, headers }: Webhook, event: PlatformEvent, nth: number) {
    const timestamp = new Date(time.now()).toISOString()
    try {
      const response = await fetch(uri, {
        method,
        headers: { 'content-type': 'application/json', ...withoutContentType(headers) },
        body: JSON.stringify({ id: chance.uuid('delivery', id, nth), ...event, timestamp }),
        signal: AbortSignal.any([over, AbortSignal.timeout(timeoutMs)]),
      })
      await response.body?.cancel()
    } catch {
      // Best effort: a receiver that is not there misses the event.
    }
  }
}

function wants({ enabled, eventFilters }: Webhook, { type }: PlatformEvent): boolean {
  return enabled && eventFilters.some(({ predicate }) => predicate.values.includes(type))
}

/** Their own would be sent beside ours, not instead of it. */
function withoutContentType(headers: Record<string, string>): Record<string, string> {
  const others = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-type')
  return Object.fromEntries(others)
}

const coverage: readonly Coverage[] = [
  { feature: 'Register a webhook', state: 'supported', operation: 'createWebhook' },
  {
    feature: 'List webhooks',
    state: 'unconfirmed',
    operation: 'listWebhooks',
    note: 'not in the document',
  },
  {
    feature: 'Remove a webhook',
    state: 'unconfirmed',
    operation: 'deleteWebhook',
    note: 'not in the document',
  },
  {
    feature: 'Delivery of webmessaging.guestsession.created and .updated',
    state: 'partial',
    note: 'the body is a guess; a session is updated when its socket shakes hands and when its tokens rotate',
  },
  { feature: 'Retries and signatures of deliveries', state: 'not-imitated' },
  {
    feature: 'Other events',
    state: 'not-imitated',
    note: 'any name is taken and never comes',
  },
]
