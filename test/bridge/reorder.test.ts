import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { InboundMessage } from '../../src/genesys/dialect.ts'
import { Reorder } from '../../src/sessions/reorder.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { Dice } from '../support/dice.ts'

function start() {
  const clock = new FakeClock(1_000_000)
  const out: { text: string; at: number }[] = []
  const inbox = {
    put: (messages: readonly InboundMessage[]) => {
      out.push(...messages.map(({ text }) => ({ text, at: clock.now() })))
    },
  }
  const reorder = new Reorder(inbox, (ms, run) => clock.after(ms, run))
  const hear = (text: string, sentAt: number | null) =>
    reorder.add(inbound(text, sentAt), clock.now())
  const texts = () => out.map(({ text }) => text)
  return { clock, reorder, out, hear, texts }
}

function inbound(text: string, sentAt: number | null): InboundMessage {
  return {
    kind: 'message',
    upstreamId: `id of ${text}`,
    author: 'agent',
    text,
    attachments: [],
    content: null,
    sentAt,
  }
}

describe('Reorder', () => {
  it('holds nothing while all comes in order', () => {
    const { clock, hear, out } = start()
    for (let at = 0; at < 20; at += 1) {
      hear(`m${at}`, at)
      clock.advance(0)
      assert.equal(out.length, at + 1)
    }
    assert.ok(out.every(({ at }) => at === 1_000_000))
  })

  it('sorts what arrives together', () => {
    const { clock, hear, texts } = start()
    for (const at of [3, 1, 2]) hear(`m${at}`, at)
    clock.advance(0)
    clock.advance(250)
    assert.deepEqual(texts(), ['m1', 'm2', 'm3'])
  })

  it('holds what showed the disorder, too, where it is still there', () => {
    const { clock, hear, out, texts } = start()
    for (const at of [4, 1, 3]) hear(`m${at}`, at)
    clock.advance(100)
    assert.deepEqual(texts(), [])
    hear('m2', 2)
    clock.advance(150)
    assert.deepEqual(texts(), ['m1', 'm2', 'm3', 'm4'])
    assert.ok(out.every(({ at }) => at === 1_000_250))
  })

  it('holds for a quarter of a second once disorder has shown', () => {
    const { clock, hear, texts } = start()
    hear('m2', 2)
    clock.advance(0)
    hear('m1', 1)
    clock.advance(249)
    assert.deepEqual(texts(), ['m2'])
    clock.advance(1)
    assert.deepEqual(texts(), ['m2', 'm1'])
    hear('m5', 5)
    clock.advance(200)
    hear('m4', 4)
    clock.advance(50)
    assert.deepEqual(texts(), ['m2', 'm1', 'm4', 'm5'])
  })

  it('trusts the platform again also after one that came from a clock far ahead', () => {
    const { clock, hear, out } = start()
    hear('ahead', 1_000_000_000)
    clock.advance(0)
    for (let at = 1; at <= 90; at += 1) {
      hear(`m${at}`, at)
      clock.advance(1_000)
    }
    hear('last', 91)
    clock.advance(0)
    assert.deepEqual(out.at(-1), { text: 'last', at: 1_000_000 + 90_000 })
  })

  it('trusts the platform again after a minute in order', () => {
    const { clock, hear, texts } = start()
    hear('m2', 2)
    clock.advance(0)
    hear('m1', 1)
    clock.advance(60_001)
    hear('m3', 3)
    clock.advance(0)
    assert.deepEqual(texts(), ['m2', 'm1', 'm3'])
  })

  it('keeps messages without a time beside the one they came after', () => {
    const { clock, hear, texts } = start()
    hear('m3', 3)
    hear('after m3', null)
    hear('m1', 1)
    hear('after m1', null)
    clock.advance(250)
    assert.deepEqual(texts(), ['m1', 'after m1', 'm3', 'after m3'])
  })

  it('keeps the order of arrival where no message has a time, or all have the same', () => {
    const { clock, hear, texts } = start()
    for (const text of ['a', 'b', 'c']) hear(text, null)
    for (const text of ['d', 'e']) hear(text, 7)
    clock.advance(250)
    assert.deepEqual(texts(), ['a', 'b', 'c', 'd', 'e'])
  })

  it('lets go of everything when told to, once', () => {
    const { clock, hear, reorder, texts } = start()
    hear('m2', 2)
    hear('m1', 1)
    reorder.flush()
    assert.deepEqual(texts(), ['m1', 'm2'])
    clock.advance(1_000)
    assert.deepEqual(texts(), ['m1', 'm2'])
    assert.equal(clock.pending, 0)
  })

  it('never holds more than a hundred, in whatever disorder they come', () => {
    const { clock, hear, out } = start()
    hear('later', 1_000)
    clock.advance(0)
    for (let at = 0; at < 500; at += 1) hear(`m${at}`, at)
    assert.ok(out.length >= 400, `${out.length} are out`)
    clock.advance(250)
    assert.equal(out.length, 501)
  })

  it('waits for what was missed before it lets go of what is new', () => {
    const { clock, hear, reorder, texts } = start()
    reorder.wait()
    hear('live', 9)
    clock.advance(3_000)
    assert.deepEqual(texts(), [])
    for (const at of [6, 7, 8]) hear(`missed ${at}`, at)
    reorder.goOn()
    assert.deepEqual(texts(), ['missed 6', 'missed 7', 'missed 8', 'live'])
  })

  it('waits for what was missed no longer than five seconds', () => {
    const { clock, hear, reorder, texts } = start()
    reorder.wait()
    hear('live', 9)
    clock.advance(5_000)
    assert.deepEqual(texts(), ['live'])
    reorder.goOn()
    hear('next', 10)
    clock.advance(0)
    assert.deepEqual(texts(), ['live', 'next'])
  })

  it('loses and doubles nothing, and sorts whatever is out of place by less than it holds', () => {
    for (let run = 0; run < 50; run += 1) {
      const dice = new Dice(`reorder ${run}`)
      const { clock, hear, texts } = start()
      // The hold begins with the first disorder: here it has shown before.
      hear('b', -1)
      clock.advance(0)
      hear('a', -2)
      clock.advance(250)
      const arrivals = Array.from({ length: 40 }, (_, at) => ({
        sentAt: at * 20,
        at: at * 20 + dice.between(0, 120),
      })).toSorted((one, other) => one.at - other.at)
      let now = 0
      for (const { sentAt, at } of arrivals) {
        clock.advance(at - now)
        now = at
        hear(`m${sentAt}`, sentAt)
      }
      clock.advance(250)
      const times = texts()
        .slice(2)
        .map((text) => Number(text.slice(1)))
      assert.equal(new Set(times).size, 40)
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      )
    }
  })
})
