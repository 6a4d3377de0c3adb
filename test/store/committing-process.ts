/**
 * A process that commits until it is killed: `node committing-process.ts FILE`. Writes a line for every commit that was
 * acknowledged: session id, version and sequence. It goes on with the sessions it finds.
 */
import { writeSync } from 'node:fs'
import type { AuditNote } from '../../src/sessions/audit-entry.ts'
import type { Session } from '../../src/sessions/session.ts'
import { openStore } from '../../src/store/open-store.ts'
import type { Change, Store } from '../../src/store/store.ts'
import { sampleKey } from './engines.ts'
import { acceptance, creation, sampleSession, step } from './samples.ts'

const sessionsAtOnce = 8
const sent: AuditNote = { action: 'message_transmitted', at: 1, actor: null, details: {} }

async function commitForever(file: string): Promise<void> {
  const log = { warn: console.error, error: console.error }
  const store = await openStore({
    location: `sqlite:${file}`,
    sync: 'normal',
    key: sampleKey,
    log,
  })
  const { items } = await store.listSessions({}, { limit: sessionsAtOnce })
  const missing = Array.from({ length: sessionsAtOnce - items.length }, () => undefined)
  await Promise.all([...items, ...missing].map((session) => converse(store, session)))
}

async function converse(store: Store, found: Session | undefined): Promise<void> {
  const unique = { id: `gs_${process.pid}_${Math.random()}` }
  let session = found ?? (await acknowledged(store, creation(sampleSession(unique))))
  for (;;) {
    const id = `msg_${session.id}_${session.version}`
    const accepted = acceptance(session, { id })
    session = await acknowledged(store, accepted)
    const messages = accepted.messages.map((message) => ({ ...message, status: 'sent' as const }))
    session = await acknowledged(store, step(session, { messages, audit: [sent] }))
  }
}

async function acknowledged(store: Store, change: Change): Promise<Session> {
  await store.commit(change)
  const { session } = change
  writeSync(1, `${session.id} ${session.version} ${session.sequence}\n`)
  return session
}

const file = process.argv[2]
if (file) await commitForever(file)
