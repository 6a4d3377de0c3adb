/** What is imitated of the Guest API, and every open question of its documentation, U1 to U22. */
import type { Coverage } from '../../surface.ts'

const supported: readonly Coverage[] = [
  {
    feature: 'The socket: every action and class of the schema',
    state: 'supported',
    operation: 'connect',
    switches: ['webMessaging.deployment', 'webMessaging.limits'],
    note: 'texts, quick replies, buttons, forms, typing, Join, Clear, files, echo, JWT, closeSession',
  },
  {
    feature: 'configureSession with startNew: true',
    state: 'supported',
    note: 'for other clients; the gateway never sends it, because a session of its own has one token and ends with its conversation',
  },
  { feature: 'History', state: 'supported', operation: 'getMessages' },
  { feature: 'Public configuration', state: 'supported', operation: 'getConfig' },
  {
    feature: 'Public domains',
    state: 'unconfirmed',
    operation: 'getDomains',
    note: 'the file is there; its fields are a guess',
  },
  { feature: 'Upload to a presigned address', state: 'supported', operation: 'uploadFile' },
  { feature: 'Download from a presigned address', state: 'supported', operation: 'downloadFile' },
  {
    feature: 'Guests who sign in',
    state: 'partial',
    operation: 'exchangeCode',
    note: 'any code stands for the user of that name; idToken is not taken',
  },
  { feature: 'A fresh JWT of a guest who signed in', state: 'partial', operation: 'refreshJwt' },
  { feature: 'Signing out', state: 'partial', operation: 'revokeJwt' },
  {
    feature: 'Everything the other side does',
    state: 'partial',
    note: 'quick replies, cards, carousels, pickers, forms and files by script or control; no CoBrowse, no video',
  },
  {
    feature: 'Errors of section 5',
    state: 'partial',
    note: '404, 408 and 5000 only by a frame-refuse fault',
  },
  {
    feature: 'Outbound text over 4000 characters',
    state: 'not-imitated',
    note: 'whatever the control says is sent',
  },
  { feature: 'Journey context', state: 'not-imitated', note: 'taken and ignored' },
  {
    feature: 'Push notifications for mobile devices',
    state: 'not-imitated',
    route: 'POST /api/v2/webmessaging/deployments/some-deployment/pushdevices/some-token',
  },
]

/** Question, what the switch offers, and the switches. */
const openQuestions: readonly (readonly [string, string, ...string[]])[] = [
  [
    'U1 Idle timeout, maximum age and their close code',
    '10 minutes, 2 hours, 1001; each can be changed or off',
    'limits.idleSeconds',
    'limits.connectionAgeSeconds',
    'serverCloseCode',
  ],
  [
    'U2 Frame size limit and its error',
    '32 KiB and 1009, or an error 413',
    'limits.frameBytes',
    'oversizeFrame',
  ],
  ['U3 Frames before configureSession', '4007, or 400', 'beforeConfigureCode'],
  ['U4 A token used with another deployment', '403, or 400', 'wrongDeploymentCode'],
  [
    'U5 Status and body of a refused upgrade',
    '403 and empty; 401, 404, or an error body',
    'refusedUpgradeStatus',
    'refusedUpgradeBody',
  ],
  [
    'U6 Meaning of 4012, 4014, 4015, 4016',
    'not sent; or sent for a message that makes no sense',
    'invalidMessageCode',
  ],
  ['U7 tracingId on errors', 'there, or not', 'tracingIdOnErrors'],
  ['U8 metadata of a message in its echo', 'there, or not', 'metadataEchoed'],
  [
    'U9 Life of the JWT',
    '15 minutes; and with its connection, or not',
    'jwtTtlSeconds',
    'jwtDiesWith',
  ],
  ['U12 Order within a page of history', 'newest first, or oldest first', 'historyOrder'],
  ['U13 OAuth clients writing as the agent', '403, or taken', 'agentMessagesByClient'],
  [
    'U14 The server closing after ConnectionClosedEvent',
    'after 5 seconds; or at once, or never',
    'closesAfterSeconds',
  ],
  ['U15 closeAllConnections: false', 'the others stay, or close as well', 'closeOneConnection'],
  ['U17 The classes Error and ErrorMessage', 'not sent, or sent for plain errors', 'errorClass'],
  [
    'U18 A disconnect with Conversation Disconnect off',
    'nothing is sent, or an event that is not readOnly',
    'disconnectWhenOff',
  ],
  ['U19 Format of an attachmentId', 'a UUID, or anything', 'attachmentIdFormat'],
  ['U20 disconnectCustomer and resumeToken', '400, or ignored', 'unusedActions'],
  [
    'U21 A tracingId used twice',
    'both messages are delivered, or the second is only echoed',
    'repeatedTracingId',
  ],
  ['Missing fields', '400, or 4020', 'missingParameterCode'],
  ['Fields of a SessionResponse', 'all, or the two of older captures', 'sessionResponse'],
  ['A guest sending Presence Disconnect', '400, or it ends the conversation', 'guestDisconnect'],
  ['How a GenerateUrlError is dressed', 'response 400, or message 200', 'generateUrlErrorAs'],
  ['Closing after repeated violations', 'never, or after so many', 'violationsBeforeClose'],
  ['History after Clear', 'gone, or readable while the JWT lives', 'clearedHistory'],
  ['channel.time in history', 'there, or null', 'historyTimes'],
  ['History with an OAuth token', '401, or 403', 'historyWithOAuthStatus'],
  ['Judging uploads', 'by content, failing, or without a word', 'scan', 'scanMs'],
  [
    'Life of files and their addresses',
    '10 minutes for an address, a day for a file to be sent',
    'presignedUrlTtlSeconds',
    'attachmentTtlSeconds',
  ],
]

const elsewhere: readonly Coverage[] = [
  {
    feature: 'U10 Status of OAuth errors',
    state: 'unconfirmed',
    switches: ['invalidClientStatus'],
    note: '400, or 401',
  },
  {
    feature: 'U11 Open Messaging',
    state: 'not-imitated',
    route: 'POST /api/v2/conversations/messages/some-integration/inbound/open/message',
    note: 'another channel, without web messaging guests',
  },
  {
    feature: 'U16 The host of the region edee1',
    state: 'not-imitated',
    note: 'the simulator is one host for everything',
  },
  {
    feature: 'U22 Notification channels and their limits',
    state: 'not-imitated',
    route: 'POST /api/v2/notifications/channels',
  },
]

export const coverage: readonly Coverage[] = [
  ...supported,
  ...openQuestions.map(
    ([feature, note, ...switches]): Coverage => ({
      feature,
      state: 'unconfirmed',
      switches: switches.map((name) => `webMessaging.${name}`),
      note,
    }),
  ),
  ...elsewhere,
]
