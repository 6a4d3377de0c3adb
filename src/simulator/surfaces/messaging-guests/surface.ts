/**
 * The messaging-guests surface: register a guest, then talk over a socket (`socket.ts`).
 *
 *   POST /api/v2/conversations/messaging/guests
 *     { name, email?, locale?, queueId, routingData?: { priority?, skillRequirements? } }
 *     → { id, conversationId, webChatToken, …, createdAt }
 *   ws …/guests/{id}/websocket?webChatToken=…          403 unless the token is fresh and unused
 */
import { z } from 'zod'
import type { Answer } from '../../answer.ts'
import type { Conversation } from '../../conversation.ts'
import { invalidBody, platformError } from '../../platform-error.ts'
import type { Admission, Dial } from '../../sockets/endpoint.ts'
import type { Call, Coverage, Surface } from '../../surface.ts'
import type { World } from '../../world.ts'
import { MessagingGuestSocket } from './socket.ts'

const surface = 'messaging-guests'
const path = '/api/v2/conversations/messaging/guests'

const Registration = z.object({
  /** Of a guest registered before. The document has no such field. */
  id: z.string().min(1).optional(),
  name: z.string().trim().min(1),
  email: z.string().optional(),
  locale: z.string().optional(),
  queueId: z.string().trim().min(1).optional(),
  routingData: z
    .looseObject({
      priority: z.number().optional(),
      skillRequirements: z.array(z.unknown()).optional(),
    })
    .optional(),
})

export function messagingGuests(world: World): Surface {
  const { behaviour, chance, conversations, links, time } = world
  /** By guest: the one token that still opens a socket. */
  const tokens = new Map<string, { value: string; expiresAt: number }>()
  let issued = 0
  conversations.watch((conversation, { kind }) => {
    if (kind === 'forgotten') tokens.delete(conversation.guestId)
  })
  return {
    name: surface,
    operations: [
      {
        name: 'registerGuest',
        method: 'POST',
        path,
        access: ['webchat:guest:write'],
        answer: register,
      },
    ],
    sockets: [{ name: 'connect', path: `${path}/:guestId/websocket`, admit }],
    guests: {
      conversationOf: (id) => conversations.ofGuest(surface, id),
      expire: (id) => {
        const guest = conversations.ofGuest(surface, id)
        if (guest) tokens.delete(guest.guestId)
        return guest !== undefined
      },
      displace: (id) => {
        const guest = conversations.ofGuest(surface, id)
        for (const link of links.list({ operation: surface, subject: id })) {
          link.close(1008, 'displaced')
        }
        return guest !== undefined
      },
    },
    coverage,
  }

  function register({ body }: Call): Answer {
    const parsed = Registration.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const { id, ...guest } = parsed.data
    const { queueRequired, secondRegistration } = behaviour.messagingGuests
    if (queueRequired && guest.queueId === undefined) {
      return platformError(400, 'invalid.value', 'A queue is required', {
        details: [{ errorCode: 'invalid.value', fieldName: 'queueId' }],
      })
    }
    const before = id === undefined ? undefined : conversations.ofGuest(surface, id)
    if (before && secondRegistration === 'conflict') {
      return platformError(409, 'conflict', 'Guest {id} is registered', {
        params: { id: before.guestId },
      })
    }
    const isSame = before !== undefined && secondRegistration === 'same-guest'
    const conversation = isSame ? before : conversations.open({ surface, guest })
    conversations.route(conversation)
    return { status: behaviour.createdStatus, body: answerBody(conversation) }
  }

  function answerBody({ id, guestId, guest, createdAt }: Conversation): object {
    issued += 1
    const value = chance.opaque('web chat token', guestId, issued)
    const ttlMs = behaviour.messagingGuests.webChatTokenTtlSeconds * 1_000
    tokens.set(guestId, { value, expiresAt: time.now() + ttlMs })
    return {
      id: guestId,
      conversationId: id,
      webChatToken: value,
      ...guest,
      createdAt: new Date(createdAt).toISOString(),
    }
  }

  function admit({ params, query }: Dial): Admission {
    const conversation = conversations.ofGuest(surface, params.guestId ?? '')
    const token = conversation && tokens.get(conversation.guestId)
    const isGood = token?.value === query.get('webChatToken') && token.expiresAt > time.now()
    if (!conversation || !isGood) {
      return { refuse: platformError(403, 'not.authorized', 'Not a good webChatToken') }
    }
    tokens.delete(conversation.guestId)
    return {
      subject: conversation.guestId,
      open: (link) => new MessagingGuestSocket(world, conversation, link),
    }
  }
}

const coverage: readonly Coverage[] = [
  { feature: 'Register a guest', state: 'supported', operation: 'registerGuest' },
  {
    feature: 'The socket: message, ack, typing, conversationMetadata',
    state: 'supported',
    operation: 'connect',
  },
  {
    feature: 'The webChatToken is single-use and short-lived',
    state: 'supported',
    switches: ['messagingGuests.webChatTokenTtlSeconds'],
    note: 'the document gives no number',
  },
  {
    feature: 'A message that nobody receives',
    state: 'unconfirmed',
    switches: ['messagingGuests.undelivered'],
    note: 'no ack, an ack all the same, or an error frame',
  },
  {
    feature: 'Whether an ack tells which message it is for',
    state: 'unconfirmed',
    switches: ['messagingGuests.ackEchoes'],
    note: 'only a messageId of the server’s, or the frame’s own extra fields as well',
  },
  {
    feature: 'Registering a guest a second time',
    state: 'unconfirmed',
    switches: ['messagingGuests.secondRegistration'],
    note: 'another guest, the same with a new token, or 409',
  },
  {
    feature: 'The socket after the end',
    state: 'unconfirmed',
    switches: ['messagingGuests.closedSocket'],
    note: 'it stays, or closes with 1000',
  },
  {
    feature: 'A registration without a queue',
    state: 'unconfirmed',
    switches: ['messagingGuests.queueRequired'],
    note: '400, or taken',
  },
  {
    feature: 'Events of conversationMetadata',
    state: 'partial',
    note: 'agentJoined and closed; the document names no others',
  },
  {
    feature: 'The scopes webchat:guest:read and webchat:guest:send',
    state: 'not-imitated',
    note: 'nothing over HTTP asks for them',
  },
  {
    feature: 'Queues and skills',
    state: 'partial',
    note: 'any queue id is taken and always has someone; priority and skills are kept, not obeyed',
  },
  {
    feature: 'Reading or ending a guest',
    state: 'not-imitated',
    route: 'GET /api/v2/conversations/messaging/guests/some-guest',
    note: 'not in the document',
  },
]
