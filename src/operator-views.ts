/** What operators see of the gateway's parts, and what the settings make of some. */

import type { GenesysClient } from './genesys/client.ts'
import type { Dialect, DialectSettings } from './genesys/dialect.ts'
import { missingSettings } from './genesys/dialects/index.ts'
import type { Stats } from './insight/stats.ts'
import { eventTypes } from './sessions/events.ts'
import type { DialectName } from './sessions/session.ts'
import type { Settings } from './settings.ts'
import type { Dispatcher, NewWebhook } from './webhooks/dispatcher.ts'

/** The destinations that the settings name. */
export function webhooksOf({ webhooks: { analyticsUrl, crmUrl } }: Settings): NewWebhook[] {
  const sessionEvents = eventTypes.filter((type) => type.startsWith('session.'))
  return [
    ...(analyticsUrl
      ? [{ url: analyticsUrl, eventTypes: [], format: 'analytics' as const, headers: {} }]
      : []),
    ...(crmUrl
      ? [{ url: crmUrl, eventTypes: sessionEvents, format: 'cloudevents' as const, headers: {} }]
      : []),
  ]
}

/** A row of the truth table of dialects. */
export function dialectView(
  dialect: Dialect,
  defaultDialect: DialectName,
  settings: DialectSettings,
) {
  const { name, scopes, capabilities } = dialect
  const missing = missingSettings(dialect, settings)
  return {
    name,
    configured: missing.length === 0,
    missing,
    default: name === defaultDialect,
    scopes: [...scopes],
    capabilities: { ...capabilities, authors: [...capabilities.authors] },
  }
}

/** Why no traffic should come now; empty when it should. */
export function notReady(client: GenesysClient, storeTrouble: string | undefined): string[] {
  const { token, missingScopes } = client.health()
  const reasons = Object.entries(missingScopes).map(
    ([id, scopes]) => `OAuth client ${id} lacks the scopes ${scopes.join(', ')}`,
  )
  if (token === 'none') reasons.push('no token from the platform yet')
  else if (token !== 'ok') reasons.push(`token: ${token}`)
  if (storeTrouble) reasons.push(`store: ${storeTrouble}`)
  return reasons
}

/** The figures of the journal, and beside them how things are at this moment. */
export function statsView(
  { sessionsByDialect, ...figures }: ReturnType<Stats['read']>,
  now: {
    waiting: number
    quota: ReturnType<GenesysClient['quota']>
    streams: { upstream: number; downstream: number }
    webhooks: Awaited<ReturnType<Dispatcher['backlog']>>
  },
) {
  const { pending, deadLettered } = now.webhooks
  return {
    ...figures,
    sessionsByDialect: sessionsByDialect.map(({ dialect, counts }) => ({ dialect, ...counts })),
    waiting: now.waiting,
    quota: now.quota.map((quota) => ({
      ...quota,
      pausedUntil: quota.pausedUntil === null ? null : time(quota.pausedUntil),
    })),
    streams: now.streams,
    webhooks: { pending, deadLettered },
  }
}

export function lastHourView(minutes: ReturnType<Stats['readLastHour']>) {
  return minutes.map(({ from, counts }) => ({ from: time(from), ...counts }))
}

/** How far those who read the journal are behind its end. */
export async function journalReaders(stats: Stats, webhooks: Dispatcher, now: number) {
  const { events, oldestAt } = await stats.backlog()
  const backlog = await webhooks.backlog()
  const age = (at: number | null) => (at === null ? 0 : Math.max(0, now - at) / 1000)
  return [
    { reader: 'stats', events, seconds: age(oldestAt) },
    { reader: 'webhooks', events: backlog.pending, seconds: age(backlog.oldestAt) },
  ] as const
}

function time(epochMs: number): string {
  return new Date(epochMs).toISOString()
}
