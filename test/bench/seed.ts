/** Fills a store file through the store's own door, so that a row can begin with as many sessions as it needs. */
import type { InboundMessage } from '../../src/genesys/dialect.ts'
import type { Session } from '../../src/sessions/session.ts'
import { created, ended } from '../../src/sessions/steps.ts'
import { received } from '../../src/sessions/stream-steps.ts'
import { openStore } from '../../src/store/open-store.ts'
import { text } from './requests.ts'

const atOnce = 500
const firstAt = Date.UTC(2026, 0, 1)
const quiet = { warn: () => undefined, error: () => undefined }

/** The id of the session at that place, from 0. */
export function seededId(index: number): string {
  return `gs_019b0000-0000-7000-8000-${index.toString(16).padStart(12, '0')}`
}

/** All active, or every other one closed. */
export async function seed(file: string, count: number, state: 'active' | 'mixed'): Promise<void> {
  const location = `sqlite:${file}` as const
  await using store = await openStore({ location, sync: 'normal', key: undefined, log: quiet })
  for (let from = 0; from < count; from += atOnce) {
    const indexes = Array.from({ length: Math.min(atOnce, count - from) }, (_, at) => from + at)
    await Promise.all(
      indexes.map(async (index) => {
        const at = firstAt + index * 1000
        const cause = { at, actor: 'bench', trace: null }
        const first = created(sessionAt(index, at), cause)
        await store.commit({ ...first, expectedVersion: 0 })
        if (state === 'active' || index % 2 === 0) return
        const last = ended(first.session, 'closed', 'closed by the caller', cause)
        await store.commit({ ...last, expectedVersion: 1 })
      }),
    )
  }
}

/** One active session whose journal has so many events, all but the first two of them messages received. */
export async function seedTranscript(file: string, events: number): Promise<void> {
  const location = `sqlite:${file}` as const
  await using store = await openStore({ location, sync: 'normal', key: undefined, log: quiet })
  const cause = { at: firstAt, actor: null, trace: null }
  let step = created(sessionAt(0, firstAt), cause)
  await store.commit({ ...step, expectedVersion: 0 })
  while (step.session.sequence < events) {
    const commits: Promise<void>[] = []
    while (step.session.sequence < events && commits.length < atOnce) {
      const { sequence, version } = step.session
      step = received(step.session, saying(`platform-${sequence}`), cause)
      commits.push(store.commit({ ...step, expectedVersion: version }))
    }
    await Promise.all(commits)
  }
}

function saying(upstreamId: string): InboundMessage {
  const none = { attachments: [], content: null, sentAt: firstAt }
  return { kind: 'message', upstreamId, author: 'agent', text, ...none }
}

function sessionAt(index: number, at: number): Session {
  return {
    id: seededId(index),
    version: 0,
    sequence: 0,
    lastOrdinal: 0,
    dialect: 'external-guests',
    state: 'active',
    guestId: `seeded-${index}`,
    conversationId: `seeded-conversation-${index}`,
    guest: { id: null, name: 'Ada', email: 'ada@example.com', locale: 'en-US', attributes: {} },
    routing: { queueId: 'queue-bench', priority: null, skills: [] },
    region: null,
    consent: null,
    metadata: { externalSessionId: `ext-${index}` },
    origin: null,
    createdAt: at,
    activatedAt: at,
    closedAt: null,
    tokenExpiresAt: null,
    lastActivityAt: at,
    messages: { outbound: 0, inbound: 0, failed: 0 },
    stream: { state: 'none', reconnects: 0 },
    latencyMs: { create: 12, activate: 0 },
    closeReason: null,
    erasedAt: null,
    upstream: {},
    secrets: null,
  }
}
