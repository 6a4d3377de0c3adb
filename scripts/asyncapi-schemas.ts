/** What the events and frames of openapi/asyncapi.yaml are made of. */
import { z } from 'zod'
import { ClientFrame } from '../src/http/streams/client-frames.ts'

export const ref = (path: string) => ({ $ref: `#/${path}` })
const rest = (name: string) => ({ $ref: `./openapi.yaml#/components/schemas/${name}` })

export function schemas(): Record<string, object> {
  const head = {
    specversion: { const: '1.0' },
    id: { type: 'string', pattern: '^evt_', description: 'UUIDv7, so ids sort by time' },
    source: { const: 'genesys-guest-gateway' },
    type: { type: 'string' },
    subject: { type: 'string', pattern: '^gs_', description: 'The session' },
    time: { type: 'string', format: 'date-time' },
    datacontenttype: { const: 'application/json' },
  }
  const sequence = { type: 'integer', minimum: 1, description: 'Per session, without gaps' }
  // Of CloudEvents' Distributed Tracing extension.
  const trace = {
    traceparent: { type: 'string', description: 'Of the request that led to it, where one did' },
    tracestate: { type: 'string', description: 'As that request gave it' },
  }
  const event = (required: object) => object({ ...required, ...trace }, Object.keys(required))
  const withoutSubject = Object.keys({ ...head, data: {} }).filter((name) => name !== 'subject')
  const [SayMessage, SayTyping, Renew] = ClientFrame.options.map(jsonSchema)
  return {
    SessionEvent: {
      ...event({ ...head, sequence, data: rest('Session') }),
      description: 'CloudEvents 1.0; `data` is the session as it was right after',
    },
    MessageEvent: {
      ...event({ ...head, sequence, data: rest('Message') }),
      description: 'CloudEvents 1.0; `data` is the message as it was right after',
    },
    Typing: object({ ...head, type: { const: 'typing' }, data: object({}) }),
    StreamReset: {
      ...object(
        {
          ...head,
          type: { const: 'stream.reset' },
          data: object({
            oldest: { type: 'integer', description: 'Cursor of the next event, the oldest kept' },
          }),
        },
        withoutSubject,
      ),
      description: 'Without a `subject` on the stream of all sessions',
    },
    Ack: object({
      type: { const: 'ack' },
      id: { type: 'string', description: 'Yours' },
      messageId: { type: 'string', pattern: '^msg_' },
    }),
    Refusal: object({
      type: { const: 'error' },
      id: { type: ['string', 'null'], description: 'Yours, where the frame had one' },
      problem: rest('Problem'),
    }),
    SayMessage: { ...SayMessage },
    SayTyping: { ...SayTyping },
    Renew: { ...Renew },
  }
}

export function object(properties: object, required = Object.keys(properties)) {
  return { type: 'object', required, properties }
}

function jsonSchema(part: z.ZodType): object {
  const { $schema, ...described } = z.toJSONSchema(part)
  return described
}
