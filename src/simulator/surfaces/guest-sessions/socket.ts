/**
 * The socket of a guest session.
 *
 *   …/{id}/websocket?access_token=…      401 without a good token, 403 from a foreign Origin
 *   guest  { type: 'handshake', guestSessionId, timestamp }     first; anything before it is refused
 *   guest  { type: 'message', text, timestamp }                 → { type: 'ack', messageId, timestamp }
 *   guest  { type: 'typing' }
 *   platform  handshakeAck, message { messageId, text, timestamp }, typing, error { code, status, message }
 */

import type { Answer } from '../../answer.ts'
import type { Conversation, ConversationEvent } from '../../conversation.ts'
import { platformError } from '../../platform-error.ts'
import { badToken, expiredToken } from '../../refusals.ts'
import { Meter } from '../../sliding-window.ts'
import type { Admission, Dial } from '../../sockets/endpoint.ts'
import { frameObject } from '../../sockets/frame.ts'
import type { Link, Receiver } from '../../sockets/link.ts'
import type { World } from '../../world.ts'
import type { GuestSession, GuestSessionDesk } from './desk.ts'

const maxTextBytes = 4096

/** Asked for every dial to a session's socket. */
export function admitTo(world: World, desk: GuestSessionDesk, dial: Dial): Admission {
  const { allowedOrigins } = world.behaviour.guestSessions
  if (allowedOrigins !== 'any' && !allowedOrigins.includes(dial.headers.origin ?? '')) {
    return { refuse: platformError(403, 'not.authorized', 'The origin is not allowed') }
  }
  const session = desk.find(dial.params.sessionId ?? '')
  const token = dial.query.get('access_token') ?? ''
  const standing = session ? desk.standing(session, token) : 'unknown'
  if (!session || standing === 'unknown') return { refuse: badToken() }
  if (standing === 'expired') return { refuse: expiredToken() }
  if (session.conversation.status === 'CLOSED') return { refuse: over() }
  return {
    subject: session.id,
    open: (link) => new GuestSessionSocket(world, session, link),
  }
}

function over(): Answer {
  return platformError(403, 'not.authorized', 'The guest session has ended')
}

class GuestSessionSocket implements Receiver {
  readonly #world: World
  readonly #session: GuestSession
  readonly #link: Link
  readonly #meter = new Meter()
  readonly #unfollow: () => void
  #shaken = false

  constructor(world: World, session: GuestSession, link: Link) {
    this.#world = world
    this.#session = session
    this.#link = link
    session.links.add(link)
    this.#unfollow = world.conversations.follow(session.conversation, (conversation, event) => {
      if (this.#shaken) this.#passOn(conversation, event)
    })
  }

  receive(text: string): void {
    this.#send(this.#answer(text))
  }

  refuse(_text: string, code: number, message: string): void {
    this.#send(error('refused', code, message))
  }

  closed(): void {
    this.#session.links.delete(this.#link)
    this.#unfollow()
  }

  #answer(text: string): Frame | undefined {
    const { behaviour, time } = this.#world
    const reading = this.#meter.count(behaviour.guestSessions.frameRate, time.now())
    if (reading && !reading.allowed) return error('rate_limited', 429, 'Too many frames')
    const frame = frameObject(text)
    if (!frame) return error('bad_frame', 400, 'A frame must be a JSON object')
    if (frame.type === 'handshake') return this.#shakeHands(frame)
    if (!this.#shaken) return error('handshake_required', 400, 'Handshake first')
    if (frame.type === 'message') return this.#takeMessage(frame)
    if (frame.type === 'typing') return undefined
    return error('unknown_type', 400, `There are no frames of type ${String(frame.type)}`)
  }

  #shakeHands({ guestSessionId }: Record<string, unknown>): Frame | undefined {
    const { behaviour, conversations, events } = this.#world
    const { id, details, conversation } = this.#session
    if (guestSessionId !== id) return error('wrong_session', 403, 'That is another session')
    this.#shaken = true
    conversations.route(conversation)
    events.emit({
      type: 'webmessaging.guestsession.updated',
      data: { id, ...details, connected: true },
    })
    const type = behaviour.guestSessions.handshakeAnswer
    return type === 'nothing' ? undefined : { type, guestSessionId: id }
  }

  #takeMessage({ text }: Record<string, unknown>): Frame | undefined {
    const { behaviour, conversations } = this.#world
    const { conversation } = this.#session
    if (typeof text !== 'string' || text === '') {
      return error('bad_message', 400, 'A message needs a text')
    }
    if (Buffer.byteLength(text) > maxTextBytes) {
      return error('message_too_large', 413, `The text exceeds ${maxTextBytes} bytes`)
    }
    if (conversation.status === 'CLOSED') {
      return error('session_ended', behaviour.closedStatus, 'The guest session has ended')
    }
    const message = conversations.say(conversation, { author: 'user', side: 'guest', text })
    return behaviour.guestSessions.acks ? { type: 'ack', messageId: message.id } : undefined
  }

  #passOn(conversation: Conversation, event: ConversationEvent): void {
    if (event.kind === 'typing') this.#send({ type: 'typing' })
    if (event.kind === 'message' && event.message.side === 'platform') {
      const { id, text } = event.message
      this.#send({ type: 'message', messageId: id, text })
    }
    if (event.kind === 'status' && conversation.status === 'CLOSED') {
      const { endOfConversation } = this.#world.behaviour.guestSessions
      if (endOfConversation === 'socket-closes') this.#link.close(1000, 'conversation ended')
    }
  }

  #send(frame: Frame | undefined): void {
    const timestamp = new Date(this.#world.time.now()).toISOString()
    if (frame) this.#link.send({ ...frame, timestamp })
  }
}

interface Frame {
  type: string
  [field: string]: unknown
}

function error(code: string, status: number, message: string): Frame {
  return { type: 'error', code, status, message }
}
