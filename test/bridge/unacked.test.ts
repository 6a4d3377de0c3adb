import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type FrameFate, Unacked } from '../../src/sessions/unacked.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'

function start() {
  const clock = new FakeClock()
  const unacked = new Unacked()
  const fates: Record<string, FrameFate> = {}
  const leave = (name: string, key: string | null = null) => {
    const fate = unacked.add({ key, text: name }, 10_000, (ms, run) => clock.after(ms, run))
    void fate.then((settled) => {
      fates[name] = settled
    })
  }
  const ack = (upstreamId: string | null, key: string | null = null) =>
    unacked.settle({ kind: 'ack', key, upstreamId })
  const kinds = async () => {
    await Promise.resolve()
    return Object.fromEntries(Object.entries(fates).map(([name, { kind }]) => [name, kind]))
  }
  return { clock, unacked, fates, leave, ack, kinds }
}

describe('Unacked', () => {
  it('settles the oldest by an ack that names nothing', async () => {
    const { leave, ack, kinds, unacked } = start()
    leave('first')
    leave('second')
    assert.equal(ack('m-1'), true)
    assert.deepEqual(await kinds(), { first: 'ack' })
    assert.equal(unacked.size, 1)
  })

  it('settles the one an ack names, whatever left before it', async () => {
    const { leave, ack, kinds } = start()
    leave('first', 'k-1')
    leave('second', 'k-2')
    assert.equal(ack('m-2', 'k-2'), true)
    assert.deepEqual(await kinds(), { second: 'ack' })
  })

  it('leaves everybody waiting for an ack that names nobody here', async () => {
    const { leave, ack, kinds } = start()
    leave('first', 'k-1')
    assert.equal(ack('m-9', 'k-9'), false)
    assert.deepEqual(await kinds(), {})
  })

  it('takes the same ack once: the second does not pass for the next message’s', async () => {
    const { leave, ack, kinds } = start()
    leave('first')
    assert.equal(ack('m-1'), true)
    leave('second')
    assert.equal(ack('m-1'), false)
    assert.deepEqual(await kinds(), { first: 'ack' })
    assert.equal(ack('m-2'), true)
    assert.deepEqual(await kinds(), { first: 'ack', second: 'ack' })
  })

  it('knows the acks of the connection before', () => {
    const { leave, ack, unacked } = start()
    leave('first')
    ack('m-1')
    unacked.lose()
    leave('second')
    assert.equal(ack('m-1'), false)
  })

  it('gives a refusal to the message it is about', async () => {
    const { leave, unacked, fates, kinds } = start()
    leave('first', 'k-1')
    leave('second', 'k-2')
    const nack = {
      kind: 'nack',
      key: 'k-2',
      code: 'message-too-large',
      detail: 'too long',
      retryAfterMs: null,
    } as const
    assert.equal(unacked.settle(nack), true)
    assert.deepEqual(await kinds(), { second: 'nack' })
    assert.deepEqual(fates.second, nack)
  })

  it('gives up after the time it was told, and hears nothing of an ack that comes then', async () => {
    const { clock, leave, ack, kinds, unacked } = start()
    leave('first')
    clock.advance(9_999)
    assert.deepEqual(await kinds(), {})
    clock.advance(1)
    assert.deepEqual(await kinds(), { first: 'timeout' })
    assert.equal(ack('m-1'), false)
    assert.equal(unacked.size, 0)
  })

  it('loses all that has left with the connection, and leaves no timer behind', async () => {
    const { clock, leave, kinds, unacked } = start()
    leave('first')
    leave('second')
    unacked.lose()
    assert.deepEqual(await kinds(), { first: 'lost', second: 'lost' })
    assert.equal(clock.pending, 0)
  })

  it('remembers only the latest acks', () => {
    const { leave, ack } = start()
    for (let at = 0; at < 500; at += 1) ack(`m-${at}`)
    leave('waiting')
    assert.equal(ack('m-499'), false)
    assert.equal(ack('m-0'), true)
  })
})
