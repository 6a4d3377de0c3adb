/**
 * The last line of an export: how many entries it has and what all of its lines hash to, signed. It has the shape of an
 * entry, without a number.
 */

import { isSignedBy, type Signer } from '../ed25519.ts'
import type { JsonObject } from '../json.ts'
import { type EntryFacts, entryLine, entryText, hashOf } from '../sessions/audit-entry.ts'
import type { AuditFilter } from '../store/store.ts'
import type { Break } from './audit-check.ts'

export const sealAction = 'audit_exported'

export interface ExportEnd {
  at: number
  actor: string
  filter: AuditFilter
  entries: number
  /** Number of the last entry there was when the export began. */
  through: number
  /** SHA-256 of all lines before, as hex. */
  digest: string
  lastHash: string | null
  /** What was wrong with an entry when it was exported. */
  firstBroken: Break | null
}

/** The seal as a line, without the line break. */
export function sealOf(end: ExportEnd, signer: Signer): string {
  const { at, actor, filter, entries, through, digest, lastHash, firstBroken } = end
  const details: JsonObject = {
    entries,
    filter: Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)),
    through,
    digest,
    firstBroken: firstBroken && { ...firstBroken },
    publicKey: signer.publicKey,
  }
  const seal = { number: null, action: sealAction, at, actor, sessionId: null, details }
  const unsigned: EntryFacts = { ...seal, previousHash: lastHash }
  const signature = signer.sign(entryText(unsigned))
  const text = entryText({ ...unsigned, details: { ...details, signature } })
  return entryLine(text, hashOf(text))
}

export function isSealSigned(seal: EntryFacts): boolean {
  const { signature, ...details } = seal.details
  return isSignedBy(String(details.publicKey), entryText({ ...seal, details }), String(signature))
}
