/** What the contracts of a store share: how they get one, and fill it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Session } from '../../src/sessions/session.ts'
import type { Change, Store } from '../../src/store/store.ts'
import { acceptance, creation, sampleId, sampleSession } from '../store/samples.ts'

/** An empty store of its own for one test, which the test need not close. */
export type OpenStore = (t: TestContext) => Promise<{
  store: Store
  /** Closes the store and opens it again on what it kept; undefined for engines that keep nothing. */
  reopen: (() => Promise<Store>) | undefined
}>

/** Makes a test of what is done with a new store. */
export function onStore(open: OpenStore) {
  return (test: (store: Store, t: TestContext) => Promise<void>) => async (t: TestContext) => {
    const { store } = await open(t)
    await test(store, t)
  }
}

export async function committed(store: Store, change: Change): Promise<Change> {
  await store.commit(change)
  return change
}

export async function found(store: Store, id: string | undefined): Promise<Session> {
  const session = await store.findSession(id ?? '')
  assert.ok(session)
  return session
}

/** Creates a session at each time; returns their ids. */
export async function createAt(store: Store, times: number[]): Promise<string[]> {
  const sessions = times.map((createdAt) => sampleSession({ createdAt }))
  for (const session of sessions) await store.commit(creation(session))
  return sessions.map((session) => session.id)
}

/** Creates a session with as many settled messages, by turns in both directions. */
export async function fill(store: Store, count: number): Promise<{ id: string; texts: string[] }> {
  const first = creation()
  const all = [store.commit(first)]
  const texts: string[] = []
  let { session } = first
  for (let ordinal = 1; ordinal <= count; ordinal += 1) {
    const isInbound = ordinal % 2 === 0
    const text = `text ${ordinal} of ${sampleId('msg')}`
    const change = acceptance(session, {
      text,
      status: isInbound ? 'delivered' : 'sent',
      direction: isInbound ? 'inbound' : 'outbound',
    })
    texts.push(text)
    all.push(store.commit(change))
    session = change.session
  }
  await Promise.all(all)
  return { id: session.id, texts }
}

/** The items of each page, until the cursor is null. */
export async function allPages<T>(
  read: (page: {
    limit: number
    cursor?: string | undefined
  }) => Promise<{ items: T[]; nextCursor: string | null }>,
  limit: number,
): Promise<T[][]> {
  const pages: T[][] = []
  let cursor: string | undefined
  do {
    const { items, nextCursor } = await read({ limit, cursor })
    pages.push(items)
    cursor = nextCursor ?? undefined
  } while (cursor !== undefined)
  return pages
}
