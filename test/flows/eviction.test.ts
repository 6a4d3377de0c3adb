import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import type { Session } from '../../src/sessions/session.ts'
import { accepted, created, ended } from '../../src/sessions/steps.ts'
import type { Store } from '../../src/store/store.ts'
import { openFor } from '../store/engines.ts'
import { sampleMessage, sampleSession } from '../store/samples.ts'
import { upTo } from '../support/up-to.ts'

const cause = { at: 1_763_000_000_000, actor: 'test', trace: null }

async function start(t: TestContext, capacity: number) {
  const store = await openFor(t, 'memory')
  const registry = new SessionRegistry(store, capacity)
  const insert = async () => {
    const first = sampleSession({ version: 0, sequence: 0 })
    return registry.insert(created(first, cause))
  }
  return { store, registry, insert }
}

/** One more message of a session, as often as asked, all at once. */
function speak(registry: SessionRegistry, { id }: Session, times: number) {
  return Promise.all(
    Array.from({ length: times }, () =>
      registry.change(id, (session) => accepted(session, sampleMessage(session), cause)),
    ),
  )
}

async function ordinals(store: Store, { id }: Session): Promise<number[]> {
  const { items } = await store.listMessages(id, { limit: 200 })
  return items.map(({ ordinal }) => ordinal)
}

describe('a session that changes', () => {
  it('is seen as it is by whoever hears of it', async (t) => {
    const { store, registry, insert } = await start(t, 10)
    const session = await insert()
    const seen: (number | undefined)[] = []
    t.after(store.follow(() => seen.push(registry.peek(session.id)?.sequence)))

    await speak(registry, session, 3)
    assert.deepEqual(
      seen,
      [1, 2, 3].map((more) => session.sequence + more),
    )
  })
})

describe('a session that is dropped from memory', () => {
  it('comes back from the store when it is touched', async (t) => {
    const { registry, insert } = await start(t, 2)
    const sessions = []
    for (let at = 0; at < 5; at++) sessions.push(await insert())

    const inMemory = sessions.filter(({ id }) => registry.peek(id))
    assert.deepEqual(inMemory, sessions.slice(3))
    for (const session of sessions) {
      assert.deepEqual(await registry.get(session.id), session)
      assert.ok(registry.peek(session.id))
    }
    assert.equal(sessions.filter(({ id }) => registry.peek(id)).length, 2)
  })

  it('keeps the order and the number of its changes, whoever else is touched meanwhile', async (t) => {
    const { store, registry, insert } = await start(t, 1)
    const sessions = await Promise.all([1, 2, 3, 4].map(insert))
    const expected = upTo(30)

    await Promise.all(
      sessions.flatMap((session) => [1, 2, 3].map(() => speak(registry, session, 10))),
    )

    for (const session of sessions) {
      assert.deepEqual(await ordinals(store, session), expected)
      assert.equal((await registry.get(session.id)).version, 31)
    }
  })

  it('is not dropped while it changes', async (t) => {
    const { registry, insert } = await start(t, 1)
    const session = await insert()
    const changing = speak(registry, session, 1)
    // Its turn begins when it has been found.
    await registry.find(session.id)
    const others = await Promise.all([insert(), insert()])

    assert.ok(registry.peek(session.id))
    await changing
    await registry.get(others[0]?.id ?? '')
    assert.equal(registry.peek(session.id), undefined)
  })

  it('is decided on as it is now, also when another registry has changed it', async (t) => {
    const { store, registry, insert } = await start(t, 1)
    const session = await insert()
    await new SessionRegistry(store).change(session.id, (current) =>
      ended(current, 'closed', 'elsewhere', cause),
    )

    const seen: string[] = []
    const after = await registry.change(session.id, (current) => {
      seen.push(current.state)
      return current.state === 'active' ? ended(current, 'closed', 'here', cause) : undefined
    })

    assert.deepEqual(seen, ['active', 'closed'])
    assert.equal(after.closeReason, 'elsewhere')
  })

  it('is gone for good when the store does not have it', async (t) => {
    const { registry } = await start(t, 1)
    assert.equal(await registry.find('gs_missing'), undefined)
    await assert.rejects(registry.get('gs_missing'), { code: 'session-not-found' })
    await assert.rejects(
      registry.change('gs_missing', () => undefined),
      { code: 'session-not-found' },
    )
  })
})
