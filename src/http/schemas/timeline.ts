import { z } from 'zod'
import { eventTypes } from '../../sessions/events.ts'
import { authors, messageStatuses } from '../../sessions/message.ts'
import { sessionStates, streamStates } from '../../sessions/session.ts'
import { ProblemCode, pageOf, Timestamp } from './common.ts'

const sinceMs = (what: string) => z.number().meta({ description: `Milliseconds since ${what}` })

const MessageFacts = z
  .object({
    direction: z.enum(['outbound', 'inbound']),
    author: z.enum(authors),
    status: z.enum(messageStatuses),
    attempts: z.int().meta({ description: 'Times it had left for the platform by then' }),
    latencyMs: z.number().nullable().meta({ description: 'From the first byte out to the answer' }),
    sinceAcceptedMs: sinceMs('it was accepted'),
    upstreamId: z.string().nullable(),
    upstreamStatus: z.string().nullable(),
    parts: z
      .object({ sent: z.int(), of: z.int() })
      .nullable()
      .meta({ description: 'Of a message that was split' }),
    error: z
      .object({
        code: ProblemCode,
        retryable: z.boolean(),
        upstreamStatus: z.int().nullable(),
        upstreamCode: z.string().nullable(),
        contextId: z
          .string()
          .nullable()
          .meta({ description: 'Names the failure to the platform’s own support' }),
      })
      .nullable(),
  })
  .meta({ id: 'TimelineMessage', description: 'The message as it was right after' })

const SessionFacts = z
  .object({
    state: z.enum(sessionStates),
    conversationId: z.string().nullable(),
    streamState: z.enum(streamStates),
    reconnects: z.int(),
    latencyMs: z.object({ create: z.number(), activate: z.number().nullable() }),
    tokenExpiresAt: Timestamp.nullable(),
    closeReason: z.string().nullable(),
  })
  .meta({ id: 'TimelineSession', description: 'The session as it was right after' })

const Delivery = z
  .object({
    webhookId: z.string(),
    at: Timestamp,
    sinceStepMs: sinceMs('the step'),
    attempt: z.int(),
    status: z.int().nullable().meta({ description: 'Null when no answer came' }),
    durationMs: z.number(),
  })
  .meta({ id: 'TimelineDelivery', description: 'A try to deliver the event to a webhook' })

export const TimelineStep = z
  .object({
    sequence: z.int(),
    eventId: z.string(),
    type: z.enum(eventTypes),
    at: Timestamp,
    sinceCreatedMs: sinceMs('the session was created'),
    sincePreviousMs: sinceMs('the step before'),
    actor: z.string().nullable().meta({
      description: 'Name of the API key that asked; null for the gateway and the platform',
    }),
    traceId: z
      .string()
      .nullable()
      .meta({ description: 'W3C trace id of the request that led to it' }),
    messageId: z.string().nullable(),
    message: MessageFacts.nullable(),
    session: SessionFacts.nullable(),
    deliveries: z.array(Delivery).meta({
      description: 'The latest 200 tries of each webhook are remembered; older ones are not shown',
    }),
  })
  .meta({
    id: 'TimelineStep',
    description: 'One thing that happened to a session, without texts and without who the guest is',
    examples: [
      {
        sequence: 1,
        eventId: 'evt_019dab5c-7a11-7d02-8e5f-1a2b3c4d5e6f',
        type: 'session.created',
        at: '2026-11-20T10:00:00.010Z',
        sinceCreatedMs: 0,
        sincePreviousMs: 0,
        actor: 'shop',
        traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
        messageId: null,
        message: null,
        session: {
          state: 'pending',
          conversationId: 'conv-8f3e2d1c-0b9a-4857-9e6d-5c4b3a291807',
          streamState: 'none',
          reconnects: 0,
          latencyMs: { create: 84, activate: null },
          tokenExpiresAt: null,
          closeReason: null,
        },
        deliveries: [],
      },
      {
        sequence: 4,
        eventId: 'evt_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d',
        type: 'message.sent',
        at: '2026-11-20T10:00:02.251Z',
        sinceCreatedMs: 2241,
        sincePreviousMs: 551,
        actor: 'shop',
        traceId: '0af7651916cd43dd8448eb211c80319c',
        messageId: 'msg_019dab5c-8b21-7f0a-a1b2-3c4d5e6f7081',
        message: {
          direction: 'outbound',
          author: 'bot',
          status: 'sent',
          attempts: 2,
          latencyMs: 41,
          sinceAcceptedMs: 551,
          upstreamId: 'msg-11223344-5566-4788-99aa-bbccddeeff00',
          upstreamStatus: null,
          parts: null,
          error: null,
        },
        session: null,
        deliveries: [
          {
            webhookId: 'whk_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d',
            at: '2026-11-20T10:00:02.263Z',
            sinceStepMs: 12,
            attempt: 1,
            status: 204,
            durationMs: 9,
          },
        ],
      },
    ],
  })

export const TimelinePage = pageOf(TimelineStep, 'TimelinePage')
