import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { externalGuests } from '../../src/genesys/dialects/external-guests.ts'
import { Activation } from '../../src/sessions/activation.ts'
import { gatewayItself } from '../../src/sessions/caller.ts'
import type { Carry } from '../../src/sessions/carrier.ts'
import { Feed } from '../../src/sessions/feed.ts'
import type { Message } from '../../src/sessions/message.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { Sender } from '../../src/sessions/sender.ts'
import { accepted, created } from '../../src/sessions/steps.ts'
import { openFor } from '../store/engines.ts'
import { sampleMessage, sampleSession } from '../store/samples.ts'
import { isSettled } from '../support/sessions.ts'
import { until } from '../support/until.ts'

const cause = { at: Date.now(), actor: null, trace: null }
const silent = () => undefined

/** A sender over a real store, with one message in line that `carry` is to take. */
async function start(t: TestContext, carry: Carry, over: Partial<Message> = {}) {
  const store = await openFor(t, 'memory')
  const registry = new SessionRegistry(store)
  const client = {
    call: () => Promise.reject(new Error('nobody is to be asked')),
    waitMs: () => 0,
    spacingMs: () => 0,
  }
  const troubles: unknown[] = []
  const dialectOf = () => externalGuests
  const activation = new Activation({
    ...{ registry, client, dialectOf, clock: systemClock, timeoutMs: 1000, onTrouble: silent },
    feed: new Feed(store),
  })
  const sender = new Sender({
    ...{ registry, activation, carry, dialectOf, clock: systemClock },
    ...{ activationMs: 10_000, attemptMs: 1000, onSettled: silent, onLeaving: silent },
    onTrouble: (_message, error) => troubles.push(error),
  })
  t.after(() => sender.stop())
  const session = await registry.insert(
    created(sampleSession({ version: 0, sequence: 0, conversationId: 'c-1' }), cause),
  )
  const message = sampleMessage(session, { status: 'accepted', waits: 'session', ...over })
  await registry.change(session.id, (current) => accepted(current, message, cause))
  sender.add(message, gatewayItself)
  const settled = () =>
    until('the message is settled', async () => {
      const now = await store.findMessage(session.id, message.id)
      return now && isSettled(now) && now
    })
  return { settled, troubles }
}

const landed = {
  outcome: { kind: 'sent', upstreamId: 'u-1', upstreamStatus: null, sentAt: null },
  latencyMs: 1,
} as const

describe('a message whose carrier breaks', () => {
  it('is unconfirmed when it had left: sending it again could double it', async (t) => {
    let calls = 0
    const { settled, troubles } = await start(t, async (_dialect, _session, _text, flight) => {
      calls += 1
      await flight.leaving()
      throw new TypeError('a fault of ours')
    })

    const message = await settled()

    assert.deepEqual([message.status, message.attempts], ['unconfirmed', 1])
    assert.equal(message.error?.code, 'upstream-invalid-response')
    assert.equal(calls, 1)
    assert.equal(troubles.length, 1)
  })

  it('is tried again when it had not left', async (t) => {
    let calls = 0
    const { settled, troubles } = await start(t, async (_dialect, _session, _text, flight) => {
      calls += 1
      if (calls === 1) throw new TypeError('a fault of ours')
      await flight.leaving()
      return landed
    })

    const message = await settled()

    assert.deepEqual([message.status, message.attempts, calls], ['sent', 1, 2])
    assert.equal(troubles.length, 1)
  })

  it('keeps the parts that were sent before', async (t) => {
    const part = { status: 'accepted', upstreamId: null, sentAt: null } as const
    const sent: string[] = []
    let calls = 0
    const carry: Carry = async (_dialect, _session, { text }, flight) => {
      calls += 1
      if (calls === 2) throw new TypeError('a fault of ours')
      await flight.leaving()
      sent.push(text)
      return landed
    }
    const parts = ['one', 'two'].map((text) => ({ ...part, text }))

    const { settled } = await start(t, carry, { parts, text: 'onetwo' })

    assert.equal((await settled()).status, 'sent')
    assert.deepEqual(sent, ['one', 'two'])
  })
})
