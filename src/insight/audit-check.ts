/** What can be wrong with an audit entry, wherever it is read. */

import { isSignedBy } from '../ed25519.ts'
import { type AuditEntry, entryText, hashOf } from '../sessions/audit-entry.ts'

/** An entry that is not as it was written, or not there. */
export interface Break {
  /** Null when it is about none in particular. */
  number: number | null
  action: string | null
  sessionId: string | null
  hash: string | null
  reason: string
}

/** Entries that could have numbers as high as this would not fit anywhere. */
const maxNumber = 2 ** 31

/** Why the entry cannot be what was written after number `last`; undefined when it can. */
export function wrongWith(entry: AuditEntry, last: number): string | undefined {
  const { number } = entry
  if (!Number.isSafeInteger(number) || number < 1 || number >= maxNumber)
    return 'its number is none'
  if (hashOf(entryText(entry)) !== entry.hash) return 'it was changed: its hash is another'
  if (number <= last) return `it is out of order: it stands after entry ${last}`
  if (entry.action === 'audit_removed' && !isTombstone(entry)) return 'its signature is not good'
  return undefined
}

export const notLinked = 'it does not follow the entry before it in its session'

export function breakAt({ number, action, sessionId, hash }: AuditEntry, reason: string): Break {
  return { number, action, sessionId, hash, reason }
}

export function missing(number: number): Break {
  const reason = `entry ${number} is missing`
  return { number, action: null, sessionId: null, hash: null, reason }
}

/** The numbers a tombstone says were removed. */
export function removedNumbers({ action, details }: AuditEntry): string | undefined {
  return action === 'audit_removed' ? String(details.numbers) : undefined
}

function isTombstone({ sessionId, details, previousHash }: AuditEntry): boolean {
  const { signature, ...facts } = details
  return (
    facts.sessionId === sessionId &&
    facts.lastHash === previousHash &&
    isSignedBy(String(facts.publicKey), JSON.stringify(facts), String(signature))
  )
}
