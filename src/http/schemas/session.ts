import { z } from 'zod'
import type { NewSession } from '../../sessions/create.ts'
import {
  type DialectName,
  dialectNames,
  sessionStates,
  streamStates,
} from '../../sessions/session.ts'
import { instant, json, line, PageQuery, pageOf, Timestamp, text, wholeNumber } from './common.ts'
import { AskStreamToken, StreamToken } from './stream-token.ts'

const Guest = z.strictObject({
  id: line(256).optional().meta({ description: 'Your own id of the visitor' }),
  name: line(256).meta({ description: 'Shown to the agent' }),
  email: z
    .string()
    .max(320)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: keeping them out is the point
    .regex(/^[^\x00-\x20\x7f@]+@[^\x00-\x20\x7f@]+$/, 'Is not an e-mail address')
    .refine((value) => value.isWellFormed(), 'Has half of a surrogate pair')
    .optional(),
  locale: z
    .string()
    .max(35)
    .regex(/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*$/, 'Is not a language tag such as en-US')
    .optional(),
  attributes: z.record(line(128), text(2048)).optional(),
})

const Routing = z.strictObject({
  queueId: line(256).optional().meta({ description: 'Default: `GENESYS_TARGET_QUEUE_ID`' }),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
  skills: z.array(line(256)).max(100).optional(),
})

export const ConsentFlags = z
  .strictObject({
    marketing: z.boolean(),
    personalization: z.boolean(),
    analytics: z.boolean(),
  })
  .meta({
    id: 'Consent',
    description: 'What the guest agreed to',
    examples: [{ marketing: true, personalization: true, analytics: false }],
  })

const Metadata = z
  .object({
    botScore: z.number().min(0).max(1).optional(),
    sourceChannel: line(256).optional(),
    externalSessionId: line(256).optional(),
  })
  .catchall(json)
  .meta({
    description: 'Kept and sent to the platform where the dialect can; at most 64 KiB of JSON',
  })

export const CreateSession = z
  .strictObject({
    dialect: z.enum(dialectNames).optional().meta({ description: 'Default: `GENESYS_DIALECT`' }),
    guest: Guest,
    routing: Routing.optional(),
    region: line(64).optional(),
    consent: ConsentFlags.optional(),
    metadata: Metadata.optional(),
    origin: line(512)
      .optional()
      .meta({ description: 'The `Origin` of the guest’s own connection' }),
    stream: AskStreamToken.optional().meta({
      description: 'Asks for a stream token in the same call; the answer then has `streamToken`',
    }),
  })
  .meta({
    id: 'CreateSession',
    examples: [
      {
        guest: { name: 'Ada', email: 'ada@example.com', locale: 'en-US' },
        routing: { queueId: 'queue-7f3a', priority: 1 },
        metadata: { botScore: 0.12, sourceChannel: 'web_portal', externalSessionId: 'ext-9921' },
      },
    ],
  })

/** Fills in what the caller left out. */
export function newSession(
  body: z.output<typeof CreateSession>,
  defaults: { defaultDialect: DialectName; queueId: string | null },
): NewSession {
  const { guest, routing } = body
  return {
    dialect: body.dialect ?? defaults.defaultDialect,
    guest: {
      id: guest.id ?? null,
      name: guest.name,
      email: guest.email ?? null,
      locale: guest.locale ?? null,
      attributes: guest.attributes ?? {},
    },
    routing: {
      queueId: routing?.queueId ?? defaults.queueId,
      priority: routing?.priority ?? null,
      skills: routing?.skills ?? [],
    },
    region: body.region ?? null,
    consent: body.consent ?? null,
    metadata: Object.fromEntries(
      Object.entries(body.metadata ?? {}).filter(([, value]) => value !== undefined),
    ) as NewSession['metadata'],
    origin: body.origin ?? null,
  }
}

const exampleSession = {
  id: 'gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e',
  dialect: 'external-guests',
  state: 'active',
  guestId: 'a1b2c3d4-e5f6-4890-abcd-ef1234567890',
  conversationId: '98765432-10ab-4def-9234-567890abcdef',
  guest: { id: null, name: 'Ada', email: 'ada@example.com', locale: 'en-US', attributes: {} },
  routing: { queueId: 'queue-7f3a', priority: 1, skills: [] },
  region: null,
  consent: null,
  metadata: { externalSessionId: 'ext-9921' },
  createdAt: '2026-11-20T10:00:00.000Z',
  activatedAt: '2026-11-20T10:00:01.640Z',
  closedAt: null,
  tokenExpiresAt: null,
  lastActivityAt: '2026-11-20T10:00:02.010Z',
  messages: { outbound: 1, inbound: 0, failed: 0 },
  stream: { state: 'none', reconnects: 0 },
  latencyMs: { create: 84, activate: 1640 },
  closeReason: null,
}

export const PublicSession = z
  .object({
    id: z.string(),
    dialect: z.enum(dialectNames),
    state: z.enum(sessionStates),
    guestId: z.string(),
    conversationId: z.string().nullable(),
    guest: z.object({
      id: z.string().nullable(),
      name: z.string(),
      email: z.string().nullable(),
      locale: z.string().nullable(),
      attributes: z.record(z.string(), z.string()),
    }),
    routing: z.object({
      queueId: z.string().nullable(),
      priority: z.int().nullable(),
      skills: z.array(z.string()),
    }),
    region: z.string().nullable(),
    consent: ConsentFlags.extend({ recordedAt: Timestamp }).nullable(),
    metadata: z.record(z.string(), z.unknown()),
    createdAt: Timestamp,
    activatedAt: Timestamp.nullable(),
    closedAt: Timestamp.nullable(),
    tokenExpiresAt: Timestamp.nullable(),
    lastActivityAt: Timestamp,
    messages: z.object({ outbound: z.int(), inbound: z.int(), failed: z.int() }),
    stream: z.object({
      state: z.enum(streamStates),
      reconnects: z.int(),
    }),
    latencyMs: z.object({ create: z.number(), activate: z.number().nullable() }).meta({
      description:
        'How long it took to create it, all in all; then from `createdAt` to `activatedAt`, the platform’s routing included',
    }),
    closeReason: z.string().nullable(),
  })
  .meta({
    id: 'Session',
    description: 'States move forward only: pending, active, then closed, expired or failed',
    examples: [exampleSession],
  })

/** As creation answers it. */
export const CreatedSession = PublicSession.extend({ streamToken: StreamToken.optional() }).meta({
  id: 'CreatedSession',
  description: 'The session, and the stream token where one was asked for',
  examples: [exampleSession],
})

export const SessionPage = pageOf(PublicSession, 'SessionPage')

const filterText = z.string().min(1).max(256).optional()

export const ListSessionsQuery = PageQuery.extend({
  state: z.enum(sessionStates).optional().meta({ description: 'Its state now' }),
  dialect: z.enum(dialectNames).optional().meta({ description: 'The surface it uses' }),
  guestId: filterText.meta({ description: "The platform's id of the guest" }),
  conversationId: filterText.meta({ description: "The platform's id of the conversation" }),
  externalId: filterText.meta({ description: '`metadata.externalSessionId`' }),
  createdAfter: instant.optional().meta({ description: 'RFC 3339, inclusive' }),
  createdBefore: instant.optional().meta({ description: 'RFC 3339, exclusive' }),
})

export const GetSessionQuery = z.strictObject({
  wait: z
    .literal('active')
    .optional()
    .meta({ description: 'Answer once the session is no longer pending' }),
  timeoutMs: wholeNumber(
    0,
    120_000,
    30_000,
    'How long to wait at most, in milliseconds; then the session as it is',
  ),
})
