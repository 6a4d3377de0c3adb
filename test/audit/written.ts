/** A store with an audit in it, for tests that tamper with it. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { Audit } from '../../src/insight/audit.ts'
import { ExportCheck, type ExportVerdict } from '../../src/insight/export-check.ts'
import type { AuditAction, AuditNote } from '../../src/sessions/audit-entry.ts'
import type { Session } from '../../src/sessions/session.ts'
import type { Store } from '../../src/store/store.ts'
import { openFor } from '../store/engines.ts'
import { creation, sampleSession, step } from '../store/samples.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

export function sampleNote(action: AuditAction, over: Partial<AuditNote> = {}): AuditNote {
  return { action, at: 1_763_000_000_300, actor: 'shop', details: { status: 'sent' }, ...over }
}

/** A session whose audit has so many entries, the last of them its end. */
export async function auditedSession(
  store: Store,
  entries: number,
  over: Partial<Session> = {},
): Promise<Session> {
  const first = creation(sampleSession({ ...over, state: 'active' }))
  await store.commit({ ...first, audit: [sampleNote('session_created')] })
  let { session } = first
  for (let made = 1; made < entries - 1; made += 1) {
    const change = step(session, { audit: [sampleNote('message_transmitted')] })
    await store.commit(change)
    session = change.session
  }
  const patch = { state: 'closed', closedAt: session.createdAt + 1000 } as const
  const end = step(session, { patch, audit: [sampleNote('session_closed')] })
  await store.commit(end)
  return end.session
}

/** A file with two sessions, whose entries take turns: numbers 1 to 8. */
export async function writtenFile(t: TestContext) {
  const file = path.join(temporaryFolder(t), 'gateway.db')
  const store = await openFor(t, `sqlite:${file}`)
  const sessions = await Promise.all([auditedSession(store, 4), auditedSession(store, 4)])
  await store[Symbol.asyncDispose]()
  return { file, sessions }
}

/** What the audit of the file says of itself after `sql`. */
export async function verifiedAfter(t: TestContext, file: string, sql: string) {
  const db = new DatabaseSync(file)
  db.exec(sql)
  db.close()
  const store = await openFor(t, `sqlite:${file}`)
  const verification = await auditOf(store).verify()
  await store[Symbol.asyncDispose]()
  return verification
}

export function auditOf(store: Store): Audit {
  return new Audit(store.audit, systemClock)
}

export async function exportOf(store: Store, filter = {}): Promise<string> {
  let text = ''
  for await (const part of auditOf(store).export(filter, 'ops')) text += part
  return text
}

export function verdictOn(bytes: Buffer, key?: string): ExportVerdict {
  const check = new ExportCheck(key)
  check.add(bytes)
  return check.verdict()
}
