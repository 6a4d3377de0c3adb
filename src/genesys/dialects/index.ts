/** The dialects this gateway speaks. Adding one adds its file and a line here. */
import type { DialectName } from '../../sessions/session.ts'
import type { Dialect, DialectSettings } from '../dialect.ts'
import { conversations } from './conversations.ts'
import { externalGuests } from './external-guests.ts'
import { guestSessions } from './guest-sessions.ts'
import { messagingGuests } from './messaging-guests.ts'
import { webMessaging } from './web-messaging.ts'

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  'external-guests': externalGuests,
  'guest-sessions': guestSessions,
  conversations,
  'messaging-guests': messagingGuests,
  'web-messaging': webMessaging,
}

/** The settings a dialect cannot do without and does not have; none means it is configured. */
export function missingSettings(dialect: Dialect, settings: DialectSettings): string[] {
  return dialect.needs.filter((name) => settings[name] === null)
}
