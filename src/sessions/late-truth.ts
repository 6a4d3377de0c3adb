/** What becomes known about messages after they were settled. */
import type { Clock } from '../clock.ts'
import type { StreamNews } from '../genesys/dialect.ts'
import type { Store } from '../store/store.ts'
import { transcriptOf } from './known-messages.ts'
import type { Message } from './message.ts'
import type { SessionRegistry } from './registry.ts'
import { sent } from './steps.ts'
import { receipt } from './stream-steps.ts'

/** That the platform has a message: by the key it left under, which names it, or by what it says. */
export interface Evidence {
  key: string | null
  text: string | null
  upstreamId: string
}

export interface LateTruthDeps {
  store: Store
  registry: SessionRegistry
  clock: Clock
}

/** Makes the `unconfirmed` message that is meant `sent`. False when there is none. */
export async function confirm(
  { store, registry, clock }: LateTruthDeps,
  sessionId: string,
  { key, text, upstreamId }: Evidence,
): Promise<boolean> {
  const means = (message: Message) =>
    message.status === 'unconfirmed' &&
    message.parts === null &&
    (key?.includes(message.id) || (text !== null && message.text === text))
  const found = await findMessage(store, sessionId, means)
  if (!found) return false
  const cause = { at: clock.now(), actor: null, trace: null }
  const after: Message = { ...found, status: 'sent', upstreamId, sentAt: clock.now(), error: null }
  await registry.change(sessionId, (session) => sent(session, after, cause))
  return true
}

/** Notes how far a message of ours came; forward only. */
export async function noteReceipt(
  { store, registry, clock }: LateTruthDeps,
  sessionId: string,
  { upstreamId, status }: Extract<StreamNews, { kind: 'receipt' }>,
): Promise<void> {
  const advances = (message: Message) =>
    message.upstreamId === upstreamId &&
    (message.status === 'sent' || (message.status === 'delivered' && status === 'read'))
  const found = await findMessage(store, sessionId, advances)
  if (!found) return
  const cause = { at: clock.now(), actor: null, trace: null }
  await registry.change(sessionId, (session) => receipt(session, found, status, cause))
}

async function findMessage(
  store: Store,
  sessionId: string,
  matches: (message: Message) => boolean,
): Promise<Message | undefined> {
  for await (const message of transcriptOf(store, sessionId)) {
    if (message.direction === 'outbound' && matches(message)) return message
  }
  return undefined
}
