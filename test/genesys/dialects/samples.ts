/** What the dialects are asked and answered in tests, with made-up values in the documents' shapes. */
import type { NewGuest, OutboundText, UpstreamAnswer } from '../../../src/genesys/dialect.ts'

/** 2026-03-04T09:30:00.000Z */
export const at = Date.UTC(2026, 2, 4, 9, 30)
export const atIso = '2026-03-04T09:30:00.000Z'
export const uuid = '0b9f6f0a-0000-4000-8000-00000000a11c'
export const hosts = {
  messaging: 'wss://messaging.example.test',
  webMessaging: 'wss://webmessaging.example.test',
}

/** Somebody of whom only the name is known. */
export function newGuest(overrides: Partial<NewGuest> = {}): NewGuest {
  return {
    guest: { id: null, name: 'Ada', email: null, locale: null, attributes: {} },
    routing: { queueId: null, priority: null, skills: [] },
    region: null,
    consent: null,
    metadata: {},
    origin: null,
    settings: {
      GENESYS_CHANNEL_CONFIG_ID: 'channel-config-1',
      GENESYS_DEPLOYMENT_ID: 'deployment-1',
      GENESYS_TARGET_QUEUE_ID: null,
    },
    uuid,
    at,
    ...overrides,
  }
}

export function outbound(overrides: Partial<OutboundText> = {}): OutboundText {
  return {
    id: 'msg_1',
    author: 'user',
    text: 'Where is my order?',
    contentType: 'text/plain',
    attachments: [],
    readReceipt: true,
    uploads: [],
    at,
    trace: null,
    ...overrides,
  }
}

export function answered(status: number, body?: unknown): UpstreamAnswer {
  return { status, body, malformed: false }
}

export const notJson: UpstreamAnswer = { status: 200, body: undefined, malformed: true }

/** The platform's error body. */
export function refused(status: number, message: string, code = 'bad.request'): UpstreamAnswer {
  return answered(status, { message, code, status, contextId: 'context-1' })
}
