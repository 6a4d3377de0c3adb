/** What is imitated of the guest-sessions surface, and which readings can be switched. */
import type { Coverage } from '../../surface.ts'

export const coverage: readonly Coverage[] = [
  {
    feature: 'Create a session; a guest id is taken once',
    state: 'supported',
    operation: 'createSession',
  },
  {
    feature: 'Rotate the tokens; an open socket lives on',
    state: 'supported',
    operation: 'refreshSession',
    switches: ['guestSessions.guestTokenTtlSeconds', 'guestSessions.refreshTokenTtlSeconds'],
  },
  { feature: 'The socket: Origin, handshake, messages', state: 'supported', operation: 'connect' },
  {
    feature: 'Channel configurations and origins of the organisation',
    state: 'supported',
    switches: ['guestSessions.channelConfigurations', 'guestSessions.allowedOrigins'],
    note: 'any, or a list; a foreign one is answered with 403',
  },
  {
    feature: 'Consent by region',
    state: 'unconfirmed',
    switches: ['guestSessions.consentRequired', 'guestSessions.strictConsentRegions'],
    note: 'flags are required (400); the strict regions answer 403 without the two consents',
  },
  {
    feature: 'How expiresAt is written',
    state: 'unconfirmed',
    switches: ['guestSessions.expiresAtFormat'],
    note: 'with Z, with an offset, without a zone, or epoch seconds',
  },
  {
    feature: 'Fields of the refresh answer',
    state: 'unconfirmed',
    switches: ['guestSessions.refreshLeavesOut'],
    note: 'a field left out goes on being good as it was',
  },
  {
    feature: 'A refresh token that is not good any more',
    state: 'unconfirmed',
    switches: ['guestSessions.deadRefreshStatus'],
    note: '400, 401 or 404; a session nobody knows is 404 always',
  },
  {
    feature: 'Tokens and sockets after a rotation and after expiry',
    state: 'unconfirmed',
    switches: ['guestSessions.oldAccessToken', 'guestSessions.expiredSocket'],
    note: 'the old access token dies or lives out its time; an expired socket closes with 1008 or stays',
  },
  {
    feature: 'websocketUrl with a query of its own',
    state: 'unconfirmed',
    switches: ['guestSessions.websocketUrlHasQuery'],
  },
  {
    feature: 'Frames after the handshake',
    state: 'unconfirmed',
    switches: ['guestSessions.handshakeAnswer', 'guestSessions.acks'],
    note: 'the document shows only what a guest sends',
  },
  {
    feature: 'End of a conversation',
    state: 'unconfirmed',
    switches: ['guestSessions.endOfConversation'],
    note: 'the socket closes with 1000, or nothing is to be seen',
  },
  {
    feature: 'A limit on frames',
    state: 'unconfirmed',
    switches: ['guestSessions.frameRate'],
    note: 'off; over it frames get an error of status 429',
  },
  {
    feature: 'The token as a sub-protocol or header',
    state: 'not-imitated',
    note: 'the document mentions them and uses the query',
  },
  {
    feature: 'Reading a session',
    state: 'not-imitated',
    route: 'GET /api/v2/webmessaging/guest-sessions/some-session',
    note: 'not in the document',
  },
  { feature: 'Attachments and structured content', state: 'not-imitated' },
]
