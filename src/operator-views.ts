/** What operators see of the gateway's parts, and what the settings make of some. */

import type { GenesysClient } from './genesys/client.ts'
import type { Dialect, DialectSettings } from './genesys/dialect.ts'
import { missingSettings } from './genesys/dialects/index.ts'
import { eventTypes } from './sessions/events.ts'
import type { DialectName } from './sessions/session.ts'
import type { Settings } from './settings.ts'
import type { NewWebhook } from './webhooks/dispatcher.ts'

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
