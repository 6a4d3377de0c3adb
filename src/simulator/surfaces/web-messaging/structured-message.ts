/** The shape of everything said, on the socket and in history. */
import type { Chance } from '../../chance.ts'
import type { Agent, Message } from '../../conversation.ts'

export interface StructuredMessage {
  id: string
  type: 'Text' | 'Structured' | 'Event'
  direction: 'Inbound' | 'Outbound'
  originatingEntity?: 'Human' | 'Bot'
  text?: string
  channel: {
    time: string | null
    messageId?: string
    type?: 'Private'
    from?: object
    metadata?: { customAttributes: Record<string, string> }
  }
  content?: readonly object[]
  events?: readonly object[]
  metadata: Record<string, string>
}

/** What a guest may add to a message. */
export interface GuestExtras {
  metadata?: Record<string, string> | undefined
  customAttributes?: Record<string, string> | undefined
}

/** The id a message has outside: 32 hex digits. */
export function wireId(chance: Chance, id: string): string {
  return chance.uuid('wire', id).replaceAll('-', '')
}

export function inboundMessage(
  chance: Chance,
  { id, text, content, at }: Message,
  { metadata, customAttributes }: GuestExtras,
): StructuredMessage {
  const isStructured = content.some((item) => !('attachment' in item))
  return {
    id: wireId(chance, id),
    type: isStructured ? 'Structured' : 'Text',
    direction: 'Inbound',
    ...(text !== '' && { text }),
    channel: {
      time: new Date(at).toISOString(),
      messageId: chance.uuid('channel', id),
      ...(customAttributes && { metadata: { customAttributes } }),
    },
    ...(content.length > 0 && { content }),
    metadata: { ...metadata, correlationId: chance.uuid('correlation', id) },
  }
}

/** `from` is the person shown, or null when the deployment hides them. */
export function outboundMessage(
  chance: Chance,
  { id, author, text, content, at }: Message,
  from: Agent | null,
): StructuredMessage {
  const isStructured = content.some((item) => !('attachment' in item))
  return {
    id: wireId(chance, id),
    type: isStructured ? 'Structured' : 'Text',
    direction: 'Outbound',
    originatingEntity: author === 'agent' ? 'Human' : 'Bot',
    ...(text !== '' && { text }),
    channel: {
      time: new Date(at).toISOString(),
      type: 'Private',
      from: author === 'agent' ? shown(from) : {},
    },
    ...(content.length > 0 && { content }),
    metadata: { correlationId: chance.uuid('correlation', id) },
  }
}

export interface EventFacts {
  /** What its ids are made of. */
  about: string
  direction: StructuredMessage['direction']
  at: number
  event: object
  from?: Agent | null
  metadata?: Record<string, string>
}

export function eventMessage(chance: Chance, facts: EventFacts): StructuredMessage {
  const { about, direction, at, event, from, metadata } = facts
  const isOutbound = direction === 'Outbound'
  return {
    id: wireId(chance, about),
    type: 'Event',
    direction,
    ...(isOutbound && { originatingEntity: from ? 'Human' : 'Bot' }),
    channel: {
      time: new Date(at).toISOString(),
      messageId: chance.uuid('channel', about),
      ...(isOutbound && { type: 'Private', from: shown(from ?? null) }),
    },
    events: [event],
    metadata: { ...metadata, correlationId: chance.uuid('correlation', about) },
  }
}

function shown(from: Agent | null): object {
  if (!from) return {}
  const { firstName, lastName, nickname } = from
  return { firstName, lastName, nickname }
}
