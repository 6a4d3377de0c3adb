import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { confirm, type Evidence } from '../../src/sessions/late-truth.ts'
import { type Message, nameOf } from '../../src/sessions/message.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { openFor } from '../store/engines.ts'
import { acceptance, creation, sampleSession } from '../store/samples.ts'

/** A session whose one message is as given. */
async function withMessage(t: TestContext, over: Partial<Message>) {
  const store = await openFor(t, 'memory')
  const session = sampleSession({ version: 1, sequence: 1 })
  await store.commit(creation(session))
  await store.commit(acceptance(session, { status: 'unconfirmed', ...over }))
  const [message] = (await store.listMessages(session.id, { limit: 1 })).items
  assert.ok(message)
  const registry = new SessionRegistry(store)
  return {
    message,
    hears: (evidence: Partial<Evidence>) =>
      confirm({ store, registry, clock: systemClock }, session.id, {
        key: null,
        text: null,
        upstreamId: 'upstream-1',
        ...evidence,
      }),
    now: async () => await store.findMessage(session.id, message.id),
  }
}

const part = (text: string, status: 'sent' | 'unconfirmed' | 'failed') => ({
  text,
  status,
  upstreamId: status === 'sent' ? `id of ${text}` : null,
  sentAt: null,
})

describe('What is heard of an unconfirmed message later', () => {
  it('is taken for it by its name or its words, and for no other', async (t) => {
    const { message, hears, now } = await withMessage(t, { text: 'Hello' })
    assert.equal(await hears({ key: `gateway:message:${nameOf(message, 0)}:1` }), false)
    assert.equal(await hears({ key: 'gateway:message:msg_other:1' }), false)
    assert.equal(await hears({ text: 'Hello?' }), false)
    assert.equal((await now())?.status, 'unconfirmed')
    assert.equal(await hears({ key: `gateway:message:${message.id}:1` }), true)
    assert.deepEqual([(await now())?.status, (await now())?.upstreamId], ['sent', 'upstream-1'])
    assert.equal(await hears({ text: 'Hello' }), false, 'it is known by now')
  })

  it('is not taken for a part when it is of another part', async (t) => {
    const parts = [part('a', 'sent'), part('b', 'unconfirmed'), part('c', 'failed')]
    const { message, hears, now } = await withMessage(t, { text: 'abc', parts })
    for (const place of [0, 2, 10]) {
      assert.equal(await hears({ key: `gateway:message:${nameOf(message, place)}:1` }), false)
    }
    for (const text of ['a', 'c', 'abc']) assert.equal(await hears({ text }), false)
    assert.deepEqual((await now())?.parts, parts)
    assert.equal(await hears({ key: nameOf(message, 1) }), true)
    const known = await now()
    assert.deepEqual(
      known?.parts?.map(({ status, upstreamId }) => [status, upstreamId]),
      [
        ['sent', 'id of a'],
        ['sent', 'upstream-1'],
        ['failed', null],
      ],
    )
    assert.deepEqual([known?.status, known?.error?.retryable], ['failed', true])
  })
})
