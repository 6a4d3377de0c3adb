/**
 * What a StructuredMessage says; live and in the history it looks the same.
 *
 *   { id, type: 'Text' | 'Structured' | 'Event', direction: 'Inbound' | 'Outbound', originatingEntity?: 'Human' | 'Bot',
 *     text?, content?: [{ contentType, … }], events?: [{ eventType, … }],
 *     channel?: { time, messageId, from }, metadata? }
 *
 * Inbound is what a guest with this token said, Outbound what is said to it.
 */
import type { Json, JsonObject } from '../../../json.ts'
import type { Attachment, Author } from '../../../sessions/message.ts'
import type { InboundMessage, StreamNews } from '../../dialect.ts'
import { fieldsOf, idOf, itemsOf, numberOf, textOf } from '../fields.ts'
import { instant } from '../instants.ts'
import { isMessageKey } from './frames.ts'

/** Empty when it says nothing that is known here. `envelope`: the frame it came in; none in the history. */
export function readStructuredMessage(
  body: JsonObject,
  envelope: { type?: Json; tracingId?: Json } = {},
): StreamNews[] {
  const metadata = fieldsOf(body.metadata)
  const inbound = body.direction === 'Inbound'
  if (body.direction !== 'Outbound') {
    const key = [envelope.tracingId, metadata.id].find(isMessageKey)
    if (key !== undefined) return [{ kind: 'ack', key, upstreamId: idOf(body.id) }]
  }
  // The answer to a health check: it repeats what was asked and is no part of the conversation.
  if (inbound && envelope.type === 'response') return []
  const events = itemsOf(body.events).flatMap((event) =>
    readEvent(fieldsOf(event), { inbound, readOnly: isTrue(metadata.readOnly) }),
  )
  const messages = readMessage(body, inbound)
  const isUnnamed = inbound && textOf(envelope.tracingId) === null
  if (!isUnnamed) return [...events, ...messages]
  return [...events, ...messages.map((message) => ({ ...message, mayBeOurs: true as const }))]
}

function readEvent(
  event: JsonObject,
  { inbound, readOnly }: { inbound: boolean; readOnly: boolean },
): StreamNews[] {
  const type = textOf(event.eventType)
  const kind = textOf(fieldsOf(event[type === 'Typing' ? 'typing' : 'presence']).type)
  switch (`${type} ${kind}`) {
    case 'Typing On':
      return inbound ? [] : [{ kind: 'typing' }]
    case 'Presence Disconnect':
      // Without it the guest may go on: its next message opens the conversation again.
      return readOnly ? [{ kind: 'over', state: 'closed', reason: 'disconnected' }] : []
    case 'Presence Clear':
      return [{ kind: 'over', state: 'closed', reason: 'cleared' }]
    case 'Presence SessionExpired':
      return [{ kind: 'over', state: 'expired', reason: 'session expired' }]
    default:
      return []
  }
}

/** Metadata holds texts, and this one may come as what it means. */
function isTrue(value: Json | undefined): boolean {
  return value === true || value === 'true'
}

function readMessage(body: JsonObject, inbound: boolean): InboundMessage[] {
  const content = itemsOf(body.content)
  const text = textOf(body.text) ?? textsIn(content)
  if (text === '' && content.length === 0) return []
  return [
    {
      kind: 'message',
      upstreamId: idOf(body.id),
      author: inbound ? 'user' : authorOf(body),
      text,
      attachments: content.flatMap(attachmentIn),
      content: content.length > 0 ? content : null,
      sentAt: instant(fieldsOf(body.channel).time),
    },
  ]
}

/** Whoever is not called a bot is taken for an agent: older answers do not say. */
function authorOf({ originatingEntity }: JsonObject): Author {
  return originatingEntity === 'Bot' ? 'bot' : 'agent'
}

function textsIn(content: Json[]): string {
  return content.flatMap((item) => textOf(fieldsOf(fieldsOf(item).text).body) ?? []).join('\n')
}

function attachmentIn(item: Json): Attachment[] {
  const { url, mime, filename, fileSize } = fieldsOf(fieldsOf(item).attachment)
  const at = textOf(url)
  if (at === null) return []
  return [
    {
      contentType: textOf(mime) ?? 'application/octet-stream',
      url: at,
      fileName: textOf(filename) ?? 'attachment',
      // Not every attachment says.
      sizeBytes: Math.max(0, Math.round(numberOf(fileSize) ?? 0)),
    },
  ]
}
