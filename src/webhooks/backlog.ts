/** How much of the journal a destination has yet to be told. */
import type { Store } from '../store/store.ts'
import { isToldOf } from './formats.ts'
import type { Progress, Webhook } from './webhook.ts'

export interface Backlog {
  /** Events it is to be told of. Exact up to a page of the journal; beyond it as dense as in that page. */
  events: number
  /** When the oldest of them happened, epoch ms; null when there are none. */
  oldestAt: number | null
}

/** Looked at, so that asking costs the same however far behind a destination is. */
const page = 100

export async function backlogOf(
  store: Pick<Store, 'journal' | 'lastPosition'>,
  webhook: Webhook,
  { position }: Readonly<Progress>,
): Promise<Backlog> {
  const end = await store.lastPosition()
  if (webhook.disabledReason !== null || position >= end) return { events: 0, oldestAt: null }
  const next = await store.journal(position, page)
  const wanted = next.filter(({ type }) => isToldOf(webhook, type))
  const seenTo = next.length < page ? end : (next.at(-1)?.position ?? end)
  const events = Math.round((wanted.length * (end - position)) / (seenTo - position))
  return { events, oldestAt: wanted[0]?.at ?? null }
}
