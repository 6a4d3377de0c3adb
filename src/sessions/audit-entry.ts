/**
 * Audit entries: who did what to which session, without what was said or who the guest is. Each entry's hash covers
 * the hash of the entry before it in its session, and its number among all entries, so none can be changed, taken out
 * or moved unnoticed.
 */
import { hash } from 'node:crypto'
import type { JsonObject } from '../json.ts'

/** In the words of the documents, where they have one. */
export const auditActions = [
  'session_created',
  'session_activated',
  'session_closed',
  'session_expired',
  'session_failed',
  'consent_given',
  'consent_changed',
  'token_rotated',
  'websocket_connected',
  'websocket_lost',
  'message_transmitted',
  'data_erased',
  'audit_removed',
] as const
export type AuditAction = (typeof auditActions)[number]

/** What there is to say, as it is handed to the store. */
export interface AuditNote {
  action: AuditAction
  /** Epoch milliseconds. */
  at: number
  /** Name of the API key that asked; null when the gateway or the platform acted. */
  actor: string | null
  /** Facts about the action; never a text, a name, an address or an attribute of the guest. */
  details: JsonObject
}

export interface AuditEntry extends AuditNote {
  /** Its place among all entries of the gateway, from 1, without gaps. */
  number: number
  sessionId: string | null
  /** Hash of the entry before it in the same session; null for the first. */
  previousHash: string | null
  /** SHA-256 of `entryText`, as hex. */
  hash: string
}

/** What the text of an entry is made of; the end of an export has no number and an action of its own. */
export interface EntryFacts extends Omit<AuditEntry, 'hash' | 'number' | 'action'> {
  number: number | null
  action: string
}

/** The canonical JSON of an entry without its hash: these fields in this order. */
export function entryText(entry: EntryFacts): string {
  const { number, action, at, actor, sessionId, details, previousHash } = entry
  const time = new Date(at).toISOString()
  return JSON.stringify({ number, action, at: time, actor, sessionId, details, previousHash })
}

export function hashOf(text: string): string {
  return hash('sha256', text)
}

/** The entry as one line of JSON, as it is answered and exported. */
export function entryLine(text: string, entryHash: string): string {
  return `${text.slice(0, -1)},"hash":"${entryHash}"}`
}
