/**
 * Frames of the surfaces whose documents name a frame's kind in `type`:
 *
 *   { type: 'message', senderId, text, messageId?, timestamp? }    also any other object with a text
 *   { type: 'ack', messageId }                                     names nothing of ours
 *   { type: 'typing', senderId }
 *   { type: 'conversationMetadata', event: 'closed' | …, conversationId? }
 *
 * Of metadata only `closed` ends anything. Other events have no meaning here: the documents name none (an agent joining
 * changes nothing for the guest), so they are noticed in the log. What they may tell is the conversation's id, where
 * the guest has none yet. One that is known is not replaced: messages to another conversation reach nobody.
 */
import type { Json, JsonObject } from '../../json.ts'
import type { InboundMessage, StreamNews, UpstreamGuest } from '../dialect.ts'
import { idOf, isObject, textOf } from './fields.ts'
import { instant } from './instants.ts'

/** `ours`: the ids under which the guest itself would appear as the sender. */
export function readPlainFrame(
  frame: Json,
  { conversationId }: Pick<UpstreamGuest, 'conversationId'>,
  ours: readonly string[],
): StreamNews[] {
  const unknown: StreamNews[] = [{ kind: 'unknown', raw: frame }]
  if (!isObject(frame)) return unknown
  const fromGuest = ours.includes(idOf(frame.senderId) ?? '')
  switch (frame.type) {
    case 'ack':
      return [{ kind: 'ack', key: null, upstreamId: idOf(frame.messageId) }]
    case 'typing':
      return fromGuest ? [] : [{ kind: 'typing' }]
    case 'conversationMetadata': {
      const closed = textOf(frame.event)?.toLowerCase() === 'closed'
      if (closed) return [{ kind: 'over', state: 'closed', reason: 'conversation closed' }]
      const told = idOf(frame.conversationId)
      const isNews = conversationId === null && told !== null
      return isNews ? [{ kind: 'learned', patch: { conversationId: told } }, ...unknown] : unknown
    }
    default:
      if (frame.type !== 'message' && textOf(frame.text) === null) return unknown
      return fromGuest ? [] : [inbound(frame)]
  }
}

function inbound(frame: JsonObject): InboundMessage {
  return {
    kind: 'message',
    upstreamId: idOf(frame.messageId) ?? idOf(frame.id),
    // The documents know nobody else on the other side.
    author: 'agent',
    text: textOf(frame.text) ?? '',
    attachments: [],
    content: 'content' in frame || 'attachments' in frame ? frame : null,
    sentAt: instant(frame.timestamp),
  }
}
