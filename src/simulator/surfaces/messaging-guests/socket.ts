/**
 * The socket of a messaging guest.
 *
 *   guest     { type: 'message', conversationId, senderId, text, messageType: 'text' }
 *   guest     { type: 'typing', conversationId, senderId }
 *   platform  { type: 'ack', conversationId, messageId }
 *   platform  { type: 'message', conversationId, senderId, messageId, messageType, text, timestamp }
 *   platform  { type: 'typing', conversationId, senderId }
 *   platform  { type: 'conversationMetadata', conversationId, event }     event: agentJoined, closed
 *   platform  { type: 'error', code, message }                            only where switched on, or when unreadable
 */
import type { Conversation, ConversationEvent } from '../../conversation.ts'
import { frameObject } from '../../sockets/frame.ts'
import type { Link, Receiver } from '../../sockets/link.ts'
import type { World } from '../../world.ts'

const knownFields = new Set([...['type', 'conversationId', 'senderId', 'text', 'messageType']])

export class MessagingGuestSocket implements Receiver {
  readonly #world: World
  readonly #conversation: Conversation
  readonly #link: Link
  readonly #unfollow: () => void
  #lost = 0

  constructor(world: World, conversation: Conversation, link: Link) {
    this.#world = world
    this.#conversation = conversation
    this.#link = link
    this.#unfollow = world.conversations.follow(conversation, (_conversation, event) => {
      this.#send(this.#frameOf(event))
      const { closedSocket } = world.behaviour.messagingGuests
      const isOver = event.kind === 'status' && conversation.status === 'CLOSED'
      if (isOver && closedSocket === 'closes') link.close(1000, 'conversation closed')
    })
  }

  receive(text: string): void {
    const frame = frameObject(text)
    if (frame?.type === 'typing') return
    this.#send(frame?.type === 'message' ? this.#takeMessage(frame) : error(400, 'Unreadable'))
  }

  refuse(_text: string, code: number, message: string): void {
    this.#send(error(code, message))
  }

  closed(): void {
    this.#unfollow()
  }

  #takeMessage(frame: Record<string, unknown>): Frame | undefined {
    const { conversations } = this.#world
    const conversation = this.#conversation
    const { text } = frame
    if (typeof text !== 'string' || text === '') return error(400, 'A message needs a text')
    const isDelivered =
      frame.conversationId === conversation.id &&
      frame.senderId === conversation.guestId &&
      conversation.status !== 'CLOSED'
    if (!isDelivered) return this.#loseMessage(frame)
    const message = conversations.say(conversation, { author: 'user', side: 'guest', text })
    return this.#ack(frame, message.id)
  }

  #loseMessage(frame: Record<string, unknown>): Frame | undefined {
    const { behaviour, chance } = this.#world
    this.#lost += 1
    switch (behaviour.messagingGuests.undelivered) {
      case 'no-ack':
        return undefined
      case 'ack':
        return this.#ack(frame, `msg-${chance.uuid('lost', this.#link.origin.id, this.#lost)}`)
      case 'error':
        return error(404, 'Unable to find the conversation')
    }
  }

  #ack(frame: Record<string, unknown>, messageId: string): Frame {
    const { ackEchoes } = this.#world.behaviour.messagingGuests
    const unknown = Object.entries(frame).filter(([name]) => !knownFields.has(name))
    const echoed = ackEchoes === 'nothing' ? {} : Object.fromEntries(unknown)
    return { ...echoed, type: 'ack', messageId }
  }

  #frameOf(event: ConversationEvent): Frame | undefined {
    const senderId = this.#conversation.agent?.id ?? 'system'
    if (event.kind === 'typing') return { type: 'typing', senderId }
    if (event.kind === 'joined') return { type: 'conversationMetadata', event: 'agentJoined' }
    if (event.kind === 'status' && this.#conversation.status === 'CLOSED') {
      return { type: 'conversationMetadata', event: 'closed' }
    }
    if (event.kind !== 'message' || event.message.side === 'guest') return undefined
    const { id, text, at } = event.message
    return {
      type: 'message',
      senderId,
      messageId: id,
      messageType: 'text',
      text,
      timestamp: new Date(at).toISOString(),
    }
  }

  #send(frame: Frame | undefined): void {
    if (frame) this.#link.send({ conversationId: this.#conversation.id, ...frame })
  }
}

interface Frame {
  type: string
  [field: string]: unknown
}

function error(code: number, message: string): Frame {
  return { type: 'error', code, message }
}
