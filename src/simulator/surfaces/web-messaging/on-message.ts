/** onMessage: text, answers to structured content, files, and what `events.ts` takes. Acknowledged by its echo. */
import { type Outcome, type Request, readOnlyRefusal, type SessionAction } from './action.ts'
import { attachmentContent } from './attachments.ts'
import { ongoingConversation } from './conversation.ts'
import { takeEvent } from './events.ts'
import { push, Refusal, type ServerFrame, tooManyRequests } from './frames.ts'
import type { Hub } from './hub.ts'
import { customAttributesOf, OnMessage, type Saying } from './requests.ts'
import type { GuestSession } from './session.ts'
import { inboundMessage } from './structured-message.ts'

const rememberedEchoes = 100

export const onMessage: SessionAction = (request, session) => {
  const { hub, frame } = request
  const { behaviour } = hub.world
  const parsed = OnMessage.safeParse(frame)
  if (!parsed.success)
    return new Refusal(behaviour.webMessaging.invalidMessageCode, 'Request failed.')
  const attributes = customAttributesOf(parsed.data)
  const tooMuch = attributesTooLarge(hub, attributes)
  if (tooMuch) return tooMuch
  const { message } = parsed.data
  if (message.type === 'Event') return takeEvent(request, session, message, attributes)
  return takeMessage(request, session, message, attributes)
}

function takeMessage(
  { hub, tracingId }: Request,
  session: GuestSession,
  saying: Saying,
  customAttributes: Record<string, string> | undefined,
): Outcome {
  const { behaviour, chance, conversations, time } = hub.world
  const { limits, repeatedTracingId, metadataEchoed } = behaviour.webMessaging
  if (session.readOnly) return readOnlyRefusal()
  const reading = session.meters.messages.count(limits.messagesPerSession, time.now())
  if (reading && !reading.allowed) return tooManyRequests(reading)
  const bytes = Buffer.byteLength(saying.text)
  if (limits.textBytes !== 'off' && bytes > limits.textBytes) {
    return new Refusal(4011, `Message length ${bytes} is larger than ${limits.textBytes}`)
  }
  const before = tracingId === undefined ? undefined : session.echoes.get(tracingId)
  if (before && repeatedTracingId === 'echoed-only') return before
  const content = attachmentContent(hub.world, session, saying.content)
  if (content instanceof Refusal) return content

  Object.assign(session.customAttributes, customAttributes)
  hub.sessions.touch(session)
  const message = conversations.say(ongoingConversation(hub, session), {
    author: 'user',
    side: 'guest',
    text: saying.text,
    content,
  })
  const metadata = metadataEchoed ? saying.metadata : undefined
  const body = inboundMessage(chance, message, { metadata, customAttributes })
  session.transcript.push(body)
  const echo = { ...push('StructuredMessage', body), ...(tracingId !== undefined && { tracingId }) }
  remember(session, echo)
  hub.sessions.push(session, echo)
  return undefined
}

function attributesTooLarge(
  hub: Hub,
  attributes: Record<string, string> | undefined,
): Refusal | undefined {
  const limit = hub.world.behaviour.webMessaging.limits.customAttributesBytes
  const bytes = Object.entries(attributes ?? {})
    .map((pair) => Buffer.byteLength(pair.join('')))
    .reduce((sum, size) => sum + size, 0)
  if (limit === 'off' || bytes <= limit) return undefined
  const text = `Custom Attributes in channel metadata is larger than ${limit} bytes`
  return new Refusal(4013, text)
}

function remember(session: GuestSession, echo: ServerFrame): void {
  if (echo.tracingId === undefined) return
  session.echoes.set(echo.tracingId, echo)
  const [oldest] = session.echoes.keys()
  if (session.echoes.size > rememberedEchoes && oldest !== undefined) session.echoes.delete(oldest)
}
