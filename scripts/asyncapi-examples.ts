/** What the events in openapi/asyncapi.yaml show: the examples of openapi.yaml as they are after each event. */
import { exampleMessage } from '../src/http/schemas/message.ts'
import { PublicSession } from '../src/http/schemas/session.ts'
import type { EventType } from '../src/sessions/events.ts'

export const exampleSessionId = 'gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e'
const exampleSession = (PublicSession.meta()?.examples as object[] | undefined)?.[0]

export function eventWith(type: string, sequence: { sequence?: number }, data: object): object {
  return {
    specversion: '1.0',
    id: 'evt_019dab5c-7a11-7d02-8e5f-1a2b3c4d5e6f',
    source: 'genesys-guest-gateway',
    type,
    subject: exampleSessionId,
    time: '2026-11-20T10:00:02.010Z',
    ...sequence,
    datacontenttype: 'application/json',
    data,
  }
}

export function sessionAfter(type: EventType): object {
  const state = /^session\.(closed|expired|failed)$/.exec(type)?.[1]
  if (type === 'session.created') {
    return {
      ...exampleSession,
      state: 'pending',
      activatedAt: null,
      messages: { outbound: 0, inbound: 0, failed: 0 },
      latencyMs: { create: 84, activate: null },
    }
  }
  if (!state) return { ...exampleSession }
  const closedAt = '2026-11-20T10:00:02.010Z'
  return { ...exampleSession, state, closedAt, closeReason: 'closed by the caller' }
}

export function messageAfter(type: EventType): object {
  const status = type.slice('message.'.length)
  const unsent = { upstreamId: null, sentAt: null, latencyMs: null }
  switch (status) {
    case 'accepted':
      return { ...exampleMessage, ...unsent, status, attempts: 0 }
    case 'received':
      return {
        ...exampleMessage,
        direction: 'inbound',
        author: 'agent',
        text: 'How can I help?',
        status: 'delivered',
        latencyMs: null,
        attempts: 0,
      }
    case 'failed':
    case 'unconfirmed': {
      const code = status === 'failed' ? 'upstream-rejected' : 'upstream-timeout'
      const error = { code, detail: 'Said in full', retryable: false }
      const nothing = { retryAfterSeconds: null, upstream: null }
      return { ...exampleMessage, ...unsent, status, error: { ...error, ...nothing } }
    }
    default:
      return { ...exampleMessage, status }
  }
}
