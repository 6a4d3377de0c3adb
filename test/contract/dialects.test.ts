import { dialectContract } from './dialect.contract.ts'

const everybody = ['bot', 'user', 'agent', 'system'] as const
const nothing = {
  attachments: false,
  typing: false,
  readReceipts: false,
  refresh: false,
  consent: false,
  receives: false,
  tellsConversation: true,
  saysGoodbye: false,
  ackLost: 'unconfirmed',
  lostInFlight: 'unconfirmed',
} as const
const goesOn = { state: 'active', reason: null }

dialectContract({
  ...nothing,
  name: 'external-guests',
  authors: everybody,
  stream: 'none',
  losesAck: { kind: 'reset', when: 'after', operation: 'external-guests.sendMessage' },
  endedByThem: { state: 'closed', reason: 'platform: CLOSED', code: 'session-closed' },
  afterRestart: goesOn,
})

dialectContract({
  ...nothing,
  name: 'conversations',
  authors: everybody,
  attachments: true,
  readReceipts: true,
  stream: 'none',
  losesAck: { kind: 'reset', when: 'after', operation: 'conversations.sendMessage' },
  // Nothing tells that a conversation is over: only messages are refused.
  endedByThem: { state: 'active', reason: null, code: 'upstream-rejected' },
  afterRestart: goesOn,
})

dialectContract({
  ...nothing,
  name: 'guest-sessions',
  authors: ['user'],
  refresh: true,
  consent: true,
  receives: true,
  tellsConversation: false,
  stream: 'resumes',
  losesAck: { kind: 'frame-drop', operation: 'guest-sessions.connect', contains: '"ack"' },
  // The document names no end: only the tokens are refused from then on.
  endedByThem: {
    state: 'expired',
    reason: 'the refresh token is spent: The platform answered 400: Not a good refresh token',
    code: 'session-closed',
  },
  afterRestart: goesOn,
})

dialectContract({
  ...nothing,
  name: 'messaging-guests',
  authors: ['user'],
  receives: true,
  stream: 'once',
  losesAck: { kind: 'frame-drop', operation: 'messaging-guests.connect', contains: '"ack"' },
  endedByThem: { state: 'closed', reason: 'conversation closed', code: 'session-closed' },
  afterRestart: { state: 'closed', reason: 'stream-lost' },
})

dialectContract({
  ...nothing,
  name: 'web-messaging',
  authors: ['user'],
  attachments: true,
  typing: true,
  receives: true,
  tellsConversation: false,
  saysGoodbye: true,
  stream: 'resumes',
  losesAck: { kind: 'frame-drop', operation: 'web-messaging.connect', contains: '"Inbound"' },
  // The history tells what had arrived.
  lostInFlight: 'sent',
  endedByThem: { state: 'closed', reason: 'disconnected', code: 'session-closed' },
  afterRestart: goesOn,
})
