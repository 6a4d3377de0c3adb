/** The conversation of a session: it starts with the guest's first word, and what the other side does is pushed. */
import type { Conversation, ConversationEvent } from '../../conversation.ts'
import { push } from './frames.ts'
import type { Hub } from './hub.ts'
import type { GuestSession } from './session.ts'
import { eventMessage, outboundMessage, type StructuredMessage } from './structured-message.ts'

const typingMs = 5_000
/** The flow says two things in two frames, shortly after one another. */
const flowGreeting = ['Welcome to our support chat.', 'One moment, we are looking for somebody.']
const flowPaceMs = 15

/** The session's conversation, started or taken up again when it has to be. */
export function ongoingConversation(hub: Hub, session: GuestSession): Conversation {
  const { conversations } = hub.world
  const before = session.conversation
  const conversation = before ?? start(hub, session)
  if (conversation.status === 'CLOSED') conversations.reopen(conversation)
  conversations.route(conversation)
  return conversation
}

/** Keeps it for history and shows it to all connections. */
export function publish(hub: Hub, session: GuestSession, body: StructuredMessage): void {
  session.transcript.push(body)
  hub.sessions.push(session, push('StructuredMessage', body))
}

function start(hub: Hub, session: GuestSession): Conversation {
  const { conversations, behaviour, time } = hub.world
  const { id, deploymentId, customAttributes } = session
  const conversation = conversations.open({
    surface: 'web-messaging',
    guest: { deploymentId, customAttributes },
    guestId: id,
    rich: true,
  })
  session.conversation = conversation
  session.unfollow = conversations.follow(conversation, (_conversation, event) =>
    passOn(hub, session, conversation, event),
  )
  if (!behaviour.agent) return conversation
  for (const [index, text] of flowGreeting.entries()) {
    time.after((index + 1) * flowPaceMs, () => {
      if (conversation.status === 'CLOSED') return
      conversations.say(conversation, { author: 'bot', side: 'platform', text })
    })
  }
  return conversation
}

function passOn(
  hub: Hub,
  session: GuestSession,
  conversation: Conversation,
  event: ConversationEvent,
): void {
  const { behaviour, chance, time } = hub.world
  const { deployment } = behaviour.webMessaging
  const from = deployment.humanize ? conversation.agent : null
  if (event.kind === 'message' && event.message.side === 'platform') {
    publish(hub, session, outboundMessage(chance, event.message, from))
  }
  if (event.kind === 'typing' && deployment.showAgentTypingIndicator) {
    const typing = { type: 'On', duration: typingMs }
    const body = eventMessage(chance, {
      about: `typing ${session.id} ${time.now()}`,
      direction: 'Outbound',
      at: time.now(),
      event: { eventType: 'Typing', typing },
      from,
    })
    hub.sessions.push(session, push('StructuredMessage', body))
  }
  if (event.kind === 'status' && conversation.status === 'CLOSED') tellEnd(hub, session)
  if (event.kind === 'forgotten') hub.sessions.forget(session)
}

/** The other side ended it. What the guest sees of that is the deployment's choice. */
function tellEnd(hub: Hub, session: GuestSession): void {
  const { behaviour, chance, time } = hub.world
  const { deployment, disconnectWhenOff } = behaviour.webMessaging
  const how = deployment.conversationDisconnect
  if (how === 'off' && disconnectWhenOff === 'nothing') return
  session.readOnly = how === 'ReadOnly'
  const body = eventMessage(chance, {
    about: `disconnect ${session.id} ${session.transcript.length}`,
    direction: 'Outbound',
    at: time.now(),
    event: { eventType: 'Presence', presence: { type: 'Disconnect' } },
    ...(session.readOnly && { metadata: { readOnly: 'true' } }),
  })
  publish(hub, session, body)
}
