import type { Store } from '../store/store.ts'
import type { Message } from './message.ts'

const page = 200

/** The upstream ids of a session's transcript, so that what the platform says twice is known. */
export async function upstreamIdsOf(store: Store, sessionId: string): Promise<string[]> {
  const ids: string[] = []
  for await (const message of transcriptOf(store, sessionId)) {
    for (const { upstreamId } of [message, ...(message.parts ?? [])]) {
      if (upstreamId !== null) ids.push(upstreamId)
    }
  }
  return ids
}

/**
 * Those of what the other side said, up to that place. Messages of ours are left out: one that was accepted before it
 * may have been sent long after.
 */
export async function heardUpTo(
  store: Store,
  sessionId: string,
  lastOrdinal: number,
): Promise<string[]> {
  const ids: string[] = []
  for await (const { ordinal, direction, upstreamId } of transcriptOf(store, sessionId)) {
    if (ordinal > lastOrdinal) break
    if (direction === 'inbound' && upstreamId !== null) ids.push(upstreamId)
  }
  return ids
}

/** Every message of a session, in order. */
export async function* transcriptOf(store: Store, sessionId: string): AsyncGenerator<Message> {
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await store.listMessages(sessionId, { limit: page, cursor })
    yield* items
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
}
