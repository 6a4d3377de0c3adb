import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { Feed } from '../../src/sessions/feed.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { byItself, created } from '../../src/sessions/steps.ts'
import { received } from '../../src/sessions/stream-steps.ts'
import { openStore } from '../../src/store/open-store.ts'
import { sampleSession } from '../store/samples.ts'

/** A session over a store, and what the store reports. */
async function start(t: TestContext) {
  const reported: unknown[] = []
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: ({ err }: { err?: unknown }) => reported.push(err),
  }
  const store = await openStore({ location: 'memory', sync: 'normal', key: undefined, log })
  const feed = new Feed(store)
  t.after(async () => {
    feed[Symbol.dispose]()
    await store[Symbol.asyncDispose]()
  })
  const registry = new SessionRegistry(store)
  const { id } = await registry.insert(
    created(sampleSession({ version: 0, sequence: 0 }), byItself(1)),
  )
  const hear = async (text: string) => {
    const said = { author: 'agent', text, content: null } as const
    const message = { kind: 'message', upstreamId: text, sentAt: 1, ...said } as const
    await registry.change(id, (session) =>
      received(session, { ...message, attachments: [] }, byItself(1)),
    )
  }
  return { feed, id, hear, reported }
}

describe('Feed', () => {
  it('tells everybody else all the same where one who listens throws', async (t) => {
    const { feed, id, hear, reported } = await start(t)
    const told: string[] = []
    feed.onSession(id, () => {
      throw new Error('one who listens')
    })
    feed.onSession(id, ({ type }) => told.push(`session ${type}`))
    feed.onAny(({ type }) => told.push(`any ${type}`))
    await Promise.all([hear('one'), hear('two')])
    const type = 'message.received'
    assert.deepEqual(told, [`session ${type}`, `any ${type}`, `session ${type}`, `any ${type}`])
    assert.match(String(reported[0]), /one who listens/)
  })
})
