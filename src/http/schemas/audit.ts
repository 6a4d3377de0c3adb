import { z } from 'zod'
import { auditActions, type AuditEntry as Entry } from '../../sessions/audit-entry.ts'
import { lines } from './batch.ts'
import { instant, PageQuery, pageOf, Timestamp } from './common.ts'

const exampleEntry = {
  number: 7,
  action: 'message_transmitted',
  at: '2026-11-20T10:00:01.741Z',
  actor: 'shop',
  sessionId: 'gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e',
  details: {
    messageId: 'msg_019dab5c-8b21-7f0a-a1b2-3c4d5e6f7081',
    author: 'bot',
    conversationId: '98765432-10ab-4def-9234-567890abcdef',
    contentType: 'text/plain',
    payloadBytes: 18,
    attachments: 0,
    attempts: 1,
    latencyMs: 41,
    status: 'sent',
    upstreamId: 'msg-11223344-5566-4788-99aa-bbccddeeff00',
    error: null,
  },
  previousHash: '5d0da5a0cb5a0cb28db81b1b6b8c5bd8cfb1bd7e4b3b9b3a7cf3b8d2d4f6a5e1',
  hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
}

const Hash = z.string().regex(/^[0-9a-f]{64}$/)

export const AuditEntry = z
  .object({
    number: z.int().nullable().meta({
      description: 'Among all entries, from 1, without gaps; null on the last line of an export',
    }),
    action: z.enum([...auditActions, 'audit_exported']),
    at: Timestamp,
    actor: z.string().nullable().meta({
      description: 'Name of the API key that asked; null for the gateway and the platform',
    }),
    sessionId: z.string().nullable(),
    details: z.record(z.string(), z.unknown()).meta({
      description: 'Facts about the action, without what was said and who the guest is',
    }),
    previousHash: Hash.nullable().meta({ description: "Of the session's entry before" }),
    hash: Hash.meta({ description: 'SHA-256 of this JSON without its `hash`' }),
  })
  .meta({
    id: 'AuditEntry',
    description: 'Who did what to which session',
    examples: [exampleEntry],
  })

/** An export: the entries, and last the seal over them. */
export const AuditLines = z.string().meta(lines('AuditEntry', [exampleEntry]))

const Verification = z
  .object({
    valid: z.boolean(),
    checked: z.int().meta({ description: 'Entries looked at: all there are' }),
    firstBroken: z
      .object({
        number: z.int().nullable(),
        action: z.string().nullable(),
        sessionId: z.string().nullable(),
        hash: z.string().nullable(),
        reason: z.string(),
      })
      .nullable()
      .meta({ description: 'The first entry that was changed, removed or moved' }),
  })
  .meta({
    id: 'AuditVerification',
    description: 'Whether every entry is as it was written, and there',
    examples: [{ valid: true, checked: 57, firstBroken: null }],
  })

export const AuditPage = pageOf(AuditEntry, 'AuditEntryPage')
  .extend({ verification: Verification.optional() })
  .meta({
    id: 'AuditPage',
    description: 'One page, oldest first; `verification` where it was asked for',
    examples: [{ items: [exampleEntry], nextCursor: null }],
  })

export const AuditQuery = PageQuery.extend({
  sessionId: z.string().min(1).max(256).optional().meta({ description: 'Entries of this session' }),
  action: z.enum(auditActions).optional().meta({ description: 'Entries of this action' }),
  after: instant.optional().meta({ description: 'RFC 3339, inclusive' }),
  before: instant.optional().meta({ description: 'RFC 3339, exclusive' }),
  verify: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: '`true` checks every entry there is, whatever the filters' }),
})

export function auditView({ number, action, at, actor, sessionId, details, ...hashes }: Entry) {
  const { previousHash, hash } = hashes
  const time = new Date(at).toISOString()
  return { number, action, at: time, actor, sessionId, details, previousHash, hash }
}
