/** What becomes known about messages after they were settled, and of guests after they were made. */
import type { Clock } from '../clock.ts'
import type { StreamNews, UpstreamGuest } from '../genesys/dialect.ts'
import type { Store } from '../store/store.ts'
import { transcriptOf } from './known-messages.ts'
import { type Message, type MessageError, type MessagePart, nameOf } from './message.ts'
import type { SessionRegistry } from './registry.ts'
import { isOver } from './session.ts'
import { byItself, failed, sent } from './steps.ts'
import { learned, receipt } from './stream-steps.ts'

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

/**
 * Makes the `unconfirmed` message that is meant `sent`. Of one that was split it is the part that was under way: where
 * others were still behind it the message is known not to have arrived whole, and `failed`; a retry sends the rest.
 * False when there is none.
 */
export async function confirm(
  { store, registry, clock }: LateTruthDeps,
  sessionId: string,
  evidence: Evidence,
): Promise<boolean> {
  const found = await findMessage(store, sessionId, (message) => isMeant(message, evidence))
  if (!found) return false
  const cause = { at: clock.now(), actor: null, trace: found.trace }
  const after = arrived(found, evidence.upstreamId, clock.now())
  const sentParts = after.parts?.filter(({ status }) => status === 'sent').length ?? 0
  await registry.change(sessionId, (session) =>
    after.parts && sentParts < after.parts.length
      ? failed(session, after, cutShort(sentParts, after.parts.length), cause)
      : sent(session, { ...after, status: 'sent', error: null }, cause),
  )
  return true
}

function isMeant(message: Message, { key, text }: Evidence): boolean {
  if (message.status !== 'unconfirmed') return false
  const part = underWay(message)
  const said = part === null ? message.text : message.parts?.[part]?.text
  const isNamed = key?.split(':').includes(nameOf(message, part)) ?? false
  return isNamed || (text !== null && text === said)
}

/** The place of the part nobody knows of; null for a message in one piece. */
function underWay({ parts }: Message): number | null {
  return parts?.findIndex(({ status }) => status === 'unconfirmed') ?? null
}

/** With what was under way there. */
function arrived(message: Message, upstreamId: string, at: number): Message {
  const part = underWay(message)
  const parts = message.parts?.map((each, place): MessagePart => {
    return place === part ? { ...each, status: 'sent', upstreamId, sentAt: at } : each
  })
  return {
    ...message,
    parts: parts ?? null,
    upstreamId: message.upstreamId ?? upstreamId,
    sentAt: at,
  }
}

function cutShort(sentParts: number, count: number): MessageError {
  return {
    code: 'upstream-error',
    detail: `${sentParts} of ${count} parts arrived; the others did not leave`,
    retryable: true,
    retryAfterSeconds: null,
    upstream: null,
  }
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
  const cause = { at: clock.now(), actor: null, trace: found.trace }
  await registry.change(sessionId, (session) => receipt(session, found, status, cause))
}

/** Keeps what was not known of a guest. */
export async function learn(
  { registry, clock }: Pick<LateTruthDeps, 'registry' | 'clock'>,
  sessionId: string,
  patch: Partial<UpstreamGuest>,
): Promise<void> {
  await registry.change(sessionId, (session) =>
    isOver(session) ? undefined : learned(session, patch, byItself(clock.now())),
  )
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
