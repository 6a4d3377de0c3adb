/** What the parts of this surface share. */
import type { Behaviour } from '../../switches/behaviour.ts'
import type { World } from '../../world.ts'
import type { AuthDesk } from './auth-desk.ts'
import type { Jwts } from './jwts.ts'
import type { GuestSessions } from './sessions.ts'
import type { Uploads } from './uploads.ts'

export type WebMessagingBehaviour = Behaviour['webMessaging']

export interface Hub {
  readonly world: World
  readonly sessions: GuestSessions
  readonly jwts: Jwts
  readonly uploads: Uploads
  readonly auth: AuthDesk
}
