/** Readings of the guest-sessions surface's document. */
import { z } from 'zod'
import { RateLimit } from './rate-limit.ts'

export const GuestSessionsSwitches = z.strictObject({
  /** Channel configurations the organisation has; others are forbidden. */
  channelConfigurations: z.union([z.literal('any'), z.array(z.string())]).default('any'),
  /** Origins a socket may come from; with a list a socket without one is refused too. */
  allowedOrigins: z.union([z.literal('any'), z.array(z.string())]).default('any'),
  /** Whether a creation must carry consent flags. */
  consentRequired: z.boolean().default(true),
  /** Regions that are forbidden without consent to marketing and personalization. */
  strictConsentRegions: z.array(z.string()).default(['EU', 'UK', 'CA', 'BR']),
  guestTokenTtlSeconds: z.number().positive().default(3_600),
  refreshTokenTtlSeconds: z.number().positive().default(86_400),
  /** How the end of a token is written; `offset` is two hours east. */
  expiresAtFormat: z.enum(['z', 'offset', 'no-zone', 'epoch-seconds']).default('z'),
  /** Fields a refresh answers without: what they were before goes on being good. */
  refreshLeavesOut: z.array(z.enum(['accessToken', 'refreshToken', 'expiresAt'])).default([]),
  /** The status of a refresh with a refresh token that is not good any more. */
  deadRefreshStatus: z.union([z.literal(400), z.literal(401), z.literal(404)]).default(400),
  /** Whether the access token of before a refresh dies with it or lives until its time. */
  oldAccessToken: z.enum(['dies', 'lives']).default('dies'),
  /** What happens to an open socket when the last token has expired. */
  expiredSocket: z.enum(['closes', 'stays']).default('closes'),
  /** Whether the `websocketUrl` comes with a query of its own. */
  websocketUrlHasQuery: z.boolean().default(false),
  /** What a handshake is answered with. */
  handshakeAnswer: z.enum(['handshakeAck', 'ack', 'nothing']).default('handshakeAck'),
  /** Whether messages are acknowledged. */
  acks: z.boolean().default(true),
  /** What a socket sees of the end of its conversation. */
  endOfConversation: z.enum(['socket-closes', 'nothing']).default('socket-closes'),
  /** Frames of one socket; those over it are refused with a 429 error frame. */
  frameRate: RateLimit.default('off'),
})
