/** A guest of the published Guest API and frames of it, with made-up values in the documents' shapes. */
import type { UpstreamGuest } from '../../../../src/genesys/dialect.ts'
import type { JsonObject } from '../../../../src/json.ts'

export const guest: UpstreamGuest = {
  guestId: 'visitor-9',
  conversationId: null,
  upstream: { deploymentId: 'deployment-1', origin: 'https://shop.example', attributes: {} },
  secrets: { token: 'fake-guest-token' },
}

export const sessionBody: JsonObject = {
  connected: true,
  newSession: true,
  readOnly: false,
  maxCustomDataBytes: 2048,
  allowedMedia: { inbound: { fileTypes: [{ type: '*/*' }], maxFileSizeKB: 10240 } },
  blockedExtensions: ['.exe'],
  durationSeconds: 259200,
  expirationDate: 1772875800,
}

/** The guest's own text as the platform repeats it. */
export const echoBody: JsonObject = {
  id: '5befde6373a23f32f20b59b4e1cba0e6',
  type: 'Text',
  direction: 'Inbound',
  text: 'Where is my order?',
  channel: { time: '2026-03-04T09:30:01.204Z', messageId: 'd2f0a6de-7777-4888-8999-0a1b2c3d4e5f' },
  metadata: { correlationId: '3a0e9b17' },
}

export const agentBody: JsonObject = {
  id: '9c1a0d5b7e6f4a3b2c1d0e9f8a7b6c5d',
  type: 'Text',
  direction: 'Outbound',
  originatingEntity: 'Human',
  text: 'Hello, I am Ana.',
  channel: {
    time: '2026-03-04T09:30:09.880Z',
    type: 'Private',
    from: { firstName: 'Ana', lastName: 'Ruiz', nickname: 'Ana' },
  },
  metadata: { correlationId: '88aa' },
}

export function eventBody(event: JsonObject, more: JsonObject = {}): JsonObject {
  return {
    id: '11aa',
    type: 'Event',
    direction: 'Outbound',
    originatingEntity: 'Bot',
    channel: { time: '2026-03-04T09:41:00.000Z', messageId: '0aa1', type: 'Private' },
    metadata: { correlationId: '77bb' },
    events: [event],
    ...more,
  }
}

export function pushed(body: JsonObject, more: JsonObject = {}): JsonObject {
  return { type: 'message', class: 'StructuredMessage', code: 200, body, ...more }
}
