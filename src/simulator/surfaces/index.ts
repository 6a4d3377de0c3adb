/** Every surface the simulator plays. Adding one adds a file here and a line below. */
import type { Surface } from '../surface.ts'
import type { World } from '../world.ts'
import { backOffice } from './back-office.ts'
import { conversations } from './conversations.ts'
import { externalGuests } from './external-guests.ts'
import { guestSessions } from './guest-sessions/surface.ts'
import { messagingGuests } from './messaging-guests/surface.ts'
import { oauth } from './oauth.ts'
import { webMessaging } from './web-messaging/surface.ts'
import { webhooks } from './webhooks.ts'

export const surfaceMakers: readonly ((world: World) => Surface)[] = [
  oauth,
  externalGuests,
  conversations,
  guestSessions,
  webhooks,
  messagingGuests,
  webMessaging,
  backOffice,
]
