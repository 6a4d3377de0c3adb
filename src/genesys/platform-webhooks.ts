/**
 * Webhooks that the platform itself calls, for guest-session events.
 *
 *   GET  /api/v2/webhooks   -> { entities: [webhook, …], nextUri? or pageNumber, pageCount, pageSize? }
 *                              or [webhook, …]                              not in every organisation
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

/** One that the platform has, as far as it says. */
export interface RegisteredWebhook {
  id: string
  name: string
  url: string
  events: readonly string[]
}

export interface Registered extends RegisteredWebhook {
  /** It was there before. */
  existed: boolean
}

/** What was registered before, for platforms that do not say. */
export interface PlatformWebhookBook {
  entries(): Promise<RegisteredWebhook[]>
  add(webhook: RegisteredWebhook): Promise<void>
}

export const guestSessionEvents = [
  'webmessaging.guestsession.created',
  'webmessaging.guestsession.updated',
] as const

const path = '/api/v2/webhooks'
const scopes = ['webhooks:readwrite'] as const
const Filter = z.object({ predicate: z.object({ values: z.array(z.string()) }) })
const Known = z.object({
  id: platformId,
  name: z.string(),
  uri: z.string(),
  eventFilters: z.array(Filter).optional().catch(undefined),
})
const KnownPage = z.object({
  entities: z.array(z.unknown()),
  nextUri: z.string().optional().catch(undefined),
  pageNumber: z.int().optional().catch(undefined),
  pageCount: z.int().optional().catch(undefined),
  pageSize: z.int().optional().catch(undefined),
})
const KnownList = z.union([
  z.array(z.unknown()).transform((entities): z.infer<typeof KnownPage> => ({ entities })),
  KnownPage,
])
/** So many are read; each is a call of the quota. */
const maxPages = 100

/** With on whose behalf it is. */
export interface PlatformWebhooksDeps extends Behalf {
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  timeoutMs: number
  book: PlatformWebhookBook
}

/** Registers a webhook, or finds the one of that name and target. Throws what the platform refused. */
export async function registerPlatformWebhook(
  deps: PlatformWebhooksDeps,
  { name, url, events, headers }: PlatformWebhook,
): Promise<Registered> {
  const known = (await list(deps, name, url)) ?? (await deps.book.entries())
  const existing = known.find((webhook) => webhook.name === name && webhook.url === url)
  if (existing) return { ...existing, events: existing.events ?? events, existed: true }
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
  if (!created.success)
    throw new GatewayError('upstream-invalid-response', 'The platform named no id for the webhook')
  const webhook = { id: created.data.id, name, url, events }
  await deps.book.add(webhook)
  return { ...webhook, existed: false }
}

const defaults = { 'X-Source': 'GenesysWebMessaging', 'Content-Type': 'application/json' }

/** A caller's header stands for ours of that name, however it is spelt. */
function withDefaults(headers: Record<string, string>): Record<string, string> {
  const given = new Set(Object.keys(headers).map((name) => name.toLowerCase()))
  const ours = Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase()))
  return { ...Object.fromEntries(ours), ...headers }
}

type Listed = Omit<RegisteredWebhook, 'events'> & { events: readonly string[] | undefined }

/** What the platform lists, up to the one that is looked for; undefined where it does not list them. */
async function list(
  deps: PlatformWebhooksDeps,
  name: string,
  url: string,
): Promise<Listed[] | undefined> {
  const listed: Listed[] = []
  const read = new Set<string>()
  for (let next: string | undefined = path; next !== undefined && read.size < maxPages; ) {
    read.add(next)
    const answer = await call(deps, {
      operation: 'listWebhooks',
      method: 'GET',
      path: next,
      scopes,
      repeatable: true,
    })
    if (!accepted(answer)) return read.size === 1 ? undefined : listed
    const page = KnownList.safeParse(answer.body).data ?? { entities: [] }
    listed.push(
      ...page.entities.flatMap((entry) => Known.safeParse(entry).data ?? []).map(asListed),
    )
    if (listed.some((webhook) => webhook.name === name && webhook.url === url)) return listed
    next = pageAfter(page)
    if (next !== undefined && read.has(next)) return listed
  }
  return listed
}

function asListed({ id, name, uri, eventFilters }: z.infer<typeof Known>): Listed {
  const events = eventFilters?.flatMap(({ predicate }) => predicate.values)
  return { id, name, url: uri, events }
}

/** Undefined after the last, and for one that is somewhere else. */
function pageAfter(page: z.infer<typeof KnownPage>): string | undefined {
  const { nextUri, pageNumber = 0, pageCount = 0, pageSize } = page
  if (nextUri !== undefined) return nextUri.startsWith(`${path}?`) ? nextUri : undefined
  if (pageNumber < 1 || pageNumber >= pageCount) return undefined
  const size = pageSize === undefined ? '' : `&pageSize=${pageSize}`
  return `${path}?pageNumber=${pageNumber + 1}${size}`
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
