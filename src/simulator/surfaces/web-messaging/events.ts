/** onMessage with an event: typing, joining without a word, and clearing the conversation. */
import { type Outcome, type Request, readOnlyRefusal } from './action.ts'
import { ongoingConversation } from './conversation.ts'
import { push, Refusal, tooManyRequests } from './frames.ts'
import type { Hub } from './hub.ts'
import type { Happening } from './requests.ts'
import type { GuestSession } from './session.ts'
import { eventMessage } from './structured-message.ts'

export function takeEvent(
  request: Request,
  session: GuestSession,
  { events: [event] }: Happening,
  customAttributes: Record<string, string> | undefined,
): Outcome {
  const { hub } = request
  const { webMessaging } = hub.world.behaviour
  if (event?.eventType === 'Typing') return takeTyping(hub, session)
  switch (event?.presence.type) {
    case 'Clear':
      return clear(request, session)
    case 'Join':
      if (session.readOnly) return readOnlyRefusal()
      Object.assign(session.customAttributes, customAttributes)
      hub.sessions.touch(session)
      ongoingConversation(hub, session)
      return echoPresence(request, session, 'Join')
    default:
      if (webMessaging.guestDisconnect === 'error-400') return new Refusal(400, 'Request failed.')
      if (session.conversation) hub.world.conversations.close(session.conversation)
      return undefined
  }
}

function takeTyping(hub: Hub, session: GuestSession): Outcome {
  const { behaviour, time } = hub.world
  const { deployment, limits } = behaviour.webMessaging
  if (!deployment.showUserTypingIndicator) {
    return new Refusal(403, 'Turn on the Feature Toggle or fix the configuration.')
  }
  if (session.readOnly) return readOnlyRefusal()
  const reading = session.meters.typing.count(limits.typingPerSession, time.now())
  return reading && !reading.allowed ? tooManyRequests(reading) : undefined
}

/** The guest ends it for good. The token is free again afterwards. */
function clear(request: Request, session: GuestSession): Outcome {
  const { sessions, world } = request.hub
  if (!world.behaviour.webMessaging.deployment.conversationClear) {
    return new Refusal(403, 'Presence events Conversation Clear are not supported')
  }
  echoPresence(request, session, 'Clear')
  sessions.push(session, push('SessionClearedEvent', {}))
  sessions.displaceAll(session)
  sessions.forget(session)
  return undefined
}

function echoPresence({ hub, tracingId }: Request, session: GuestSession, type: string): Outcome {
  const { chance, time } = hub.world
  const body = eventMessage(chance, {
    about: `${type} ${session.id} ${session.transcript.length}`,
    direction: 'Inbound',
    at: time.now(),
    event: { eventType: 'Presence', presence: { type } },
  })
  session.transcript.push(body)
  const echo = push('StructuredMessage', body)
  hub.sessions.push(session, { ...echo, ...(tracingId !== undefined && { tracingId }) })
  return undefined
}
