/**
 * Webhooks that the platform itself calls, for guest-session events.
 *
 *   GET  /api/v2/webhooks   -> { entities: [webhook, …] } or [webhook, …]      not in every organisation
 *   POST /api/v2/webhooks
 *        { name, uri, method: "POST", enabled: true,
 *          eventFilters: [{ predicate: { type: "event", values: [event, …] } }], headers: { "X-Source", … } }
 *     -> { id, … }
 */
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Behalf } from './api-request.ts'
import type { GenesysClient } from './client.ts'
import type { UpstreamRequest } from './dialect.ts'
import { accepted, platformId, rejection } from './dialects/answers.ts'

export interface PlatformWebhook {
  name: string
  url: string
  events: readonly string[]
  headers: Record<string, string>
}

export interface Registered {
  id: string
  /** It was there before. */
  existed: boolean
}

export const guestSessionEvents = [
  'webmessaging.guestsession.created',
  'webmessaging.guestsession.updated',
] as const

const path = '/api/v2/webhooks'
const scopes = ['webhooks:readwrite'] as const
const Known = z.object({ id: platformId, name: z.string(), uri: z.string() })
const KnownList = z.union([
  z.array(z.unknown()),
  z.object({ entities: z.array(z.unknown()) }).transform(({ entities }) => entities),
])

/** With on whose behalf it is. */
export interface PlatformWebhooksDeps extends Behalf {
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  timeoutMs: number
}

/** Registers a webhook, or finds the one of that name and target. Throws what the platform refused. */
export async function registerPlatformWebhook(
  deps: PlatformWebhooksDeps,
  { name, url, events, headers }: PlatformWebhook,
): Promise<Registered> {
  const existing = await find(deps, name, url)
  if (existing !== undefined) return { id: existing, existed: true }
  const answer = await call(deps, {
    operation: 'createWebhook',
    method: 'POST',
    path,
    body: {
      name,
      uri: url,
      method: 'POST',
      enabled: true,
      eventFilters: [{ predicate: { type: 'event', values: [...events] } }],
      headers: withDefaults(headers),
    },
    scopes,
    repeatable: false,
  })
  if (!accepted(answer)) {
    const { code, detail, platform } = rejection(answer)
    throw new GatewayError(code, detail, { upstream: platform })
  }
  const created = z.object({ id: platformId }).safeParse(answer.body)
  if (created.success) return { id: created.data.id, existed: false }
  throw new GatewayError('upstream-invalid-response', 'The platform named no id for the webhook')
}

const defaults = { 'X-Source': 'GenesysWebMessaging', 'Content-Type': 'application/json' }

/** A caller's header stands for ours of that name, however it is spelt. */
function withDefaults(headers: Record<string, string>): Record<string, string> {
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()))
  const ours = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()))
  return { ...Object.fromEntries(ours), ...headers }
}

/** Where the platform does not list its webhooks, none is known. */
async function find(
  deps: PlatformWebhooksDeps,
  name: string,
  url: string,
): Promise<string | undefined> {
  const answer = await call(deps, {
    operation: 'listWebhooks',
    method: 'GET',
    path,
    scopes,
    repeatable: true,
  })
  if (!accepted(answer)) return undefined
  const listed = KnownList.safeParse(answer.body).data ?? []
  const webhooks = listed.flatMap((entry) => Known.safeParse(entry).data ?? [])
  return webhooks.find((webhook) => webhook.name === name && webhook.uri === url)?.id
}

function call(
  { client, clock, timeoutMs, trace, requestId }: PlatformWebhooksDeps,
  request: UpstreamRequest,
) {
  return client.call(request, {
    dialect: 'guest-sessions',
    deadline: clock.now() + timeoutMs,
    priority: 'create',
    trace,
    requestId,
  })
}
