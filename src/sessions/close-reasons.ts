/** Why sessions end, without what the platform said about it: that may repeat what the guest said. */

/** The platform has begun another session in the place of the one it knew. */
export const forgotten = 'the platform no longer knew the session'

/** The reasons that are in our own words. What the platform adds stands behind a colon, a status at the end. */
const ownReasons: readonly string[] = [
  'closed by the caller',
  'stream-lost',
  'platform',
  'displaced',
  'session expired',
  'session not found',
  'conversation closed',
  'authentication failed',
  'disconnected',
  'cleared',
  'logged out',
  'read-only',
  'the token belongs to an authenticated guest',
  'the refresh token is spent',
  'the guest token ended and could not be replaced',
  'the platform refused the stream',
  'The platform answered',
  forgotten,
]

/** `platform` for a reason that is not ours. */
export function plainReason(closeReason: string | null): string | null {
  if (closeReason === null) return null
  const [reason = ''] = closeReason.split(':', 1)
  return ownReasons.includes(reason.replace(/ \(?\d{3,4}\)?$/, '')) ? reason : 'platform'
}
