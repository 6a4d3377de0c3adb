/** The messages of openapi/asyncapi.yaml: every event, and the frames of the WebSocket. */
import { exampleMessage } from '../src/http/schemas/message.ts'
import { exampleProblem } from '../src/http/schemas/problem.ts'
import { type EventType, eventTypes } from '../src/sessions/events.ts'
import { eventWith, messageAfter, sessionAfter } from './asyncapi-examples.ts'
import { ref } from './asyncapi-schemas.ts'

/** What each event says beside its name. */
const meanings: Record<EventType, string> = {
  'session.created': 'The guest was made on the platform',
  'session.activated': 'The platform has routed the guest; waiting messages leave now',
  'session.closed': 'The session was ended, by a caller or the platform; `closeReason` says which',
  'session.expired': 'The guest’s time on the platform is over',
  'session.failed': 'The session cannot go on; `closeReason` says why',
  'session.token_rotated': 'The guest’s own token was replaced',
  'session.consent_changed': 'The guest consents to something else from now on',
  'session.stream_opened': 'The gateway’s connection to the platform is open',
  'session.stream_lost': 'It broke and is dialled again',
  'session.expiring': 'The session ends in five minutes unless its token is rotated',
  'message.accepted': 'The message is durable and in line',
  'message.sent': 'The platform took it',
  'message.delivered': 'The platform reports that it arrived',
  'message.read': 'The platform reports that it was read',
  'message.received': 'The other side said something',
  'message.failed': 'It did not arrive and will not leave by itself any more',
  'message.unconfirmed': 'It may have arrived, so it is not sent again by itself',
}

export function messages(): Record<string, object> {
  const events = eventTypes.map((type, index) => {
    const isSession = type.startsWith('session.')
    const data = isSession ? sessionAfter(type) : messageAfter(type)
    return [
      messageName(type),
      {
        name: type,
        title: meanings[type],
        contentType: 'application/json',
        payload: {
          allOf: [
            schemaOf(isSession ? 'SessionEvent' : 'MessageEvent'),
            { properties: { type: { const: type } } },
          ],
        },
        examples: [{ payload: eventWith(type, { sequence: index + 1 }, data) }],
      },
    ]
  })
  const frame = (name: string, title: string, payload: string, example: object) => ({
    name,
    title,
    contentType: 'application/json',
    payload: schemaOf(payload),
    examples: [{ payload: example }],
  })
  return {
    ...Object.fromEntries(events),
    typing: frame('typing', 'The other side is typing', 'Typing', eventWith('typing', {}, {})),
    streamReset: frame(
      'stream.reset',
      'What followed your cursor is gone, or it is of another journal; the rest follows',
      'StreamReset',
      eventWith('stream.reset', {}, { oldest: 17 }),
    ),
    ack: frame('ack', 'A message of yours is durable', 'Ack', {
      type: 'ack',
      id: 'mine-1',
      messageId: exampleMessage.id,
    }),
    error: frame('error', 'A frame of yours was refused', 'Refusal', {
      type: 'error',
      id: 'mine-1',
      problem: exampleProblem('forbidden'),
    }),
    sayMessage: frame('message', 'The guest says something', 'SayMessage', {
      type: 'message',
      id: 'mine-1',
      text: 'Hello',
    }),
    sayTyping: frame('typing', 'The guest is typing', 'SayTyping', { type: 'typing' }),
    renew: frame('renew', 'Go on with a new stream token, without a gap', 'Renew', {
      type: 'renew',
      token: 'eyJhbGciOiJIUzI1NiJ9.e30.c2ln',
    }),
  }
}

/** `message.sent` as a name that a reference can hold: `messageSent`. */
export function messageName(type: EventType): string {
  return type.replace(/[._](\w)/g, (_match, letter: string) => letter.toUpperCase())
}

function schemaOf(name: string) {
  return ref(`components/schemas/${name}`)
}
