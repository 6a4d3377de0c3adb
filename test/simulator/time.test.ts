import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { MovableTime } from '../../src/simulator/time.ts'

/** A base clock that stands still and never rings. */
const still = { ...systemClock, now: () => 1_000, after: () => () => undefined }

describe('MovableTime', () => {
  it('runs what falls due on the way, in order, each at its own moment', () => {
    const time = new MovableTime(still)
    const seen: [string, number][] = []
    const note = (name: string) => () => void seen.push([name, time.now()])
    time.after(300, note('late'))
    time.after(100, () => {
      note('early')()
      time.after(50, note('ordered on the way'))
    })
    time.after(900, note('not yet'))

    time.advance(500)

    assert.deepEqual(seen, [
      ['early', 1_100],
      ['ordered on the way', 1_150],
      ['late', 1_300],
    ])
    assert.equal(time.now(), 1_500)
  })

  it('is a whole number of milliseconds, whatever the wait it was moved on to', () => {
    const time = new MovableTime(still)
    const seen: number[] = []
    time.after(99.3, () => void seen.push(time.now()))

    time.advance(100)

    assert.deepEqual(seen, [1_100])
    assert.equal(time.now(), 1_100)
  })

  it('forgets what was cancelled, and everything on reset', () => {
    const time = new MovableTime(still)
    const rang: string[] = []
    const cancel = time.after(10, () => rang.push('cancelled'))
    cancel()
    time.after(10, () => rang.push('from before the reset'))
    time.reset()

    time.advance(100)

    assert.deepEqual(rang, [])
  })

  it('ends a sleep when it is due or its signal is', async () => {
    const time = new MovableTime(still)
    const slept = time.sleep(1_000)
    const abort = new AbortController()
    const aborted = time.sleep(1_000, abort.signal)

    abort.abort(new Error('enough'))
    time.advance(1_000)

    await slept
    await assert.rejects(aborted, /enough/)
  })

  it('still keeps an appointment by the base clock', async () => {
    const time = new MovableTime(systemClock)
    const keepAlive = setTimeout(() => undefined, 5_000)

    await time.sleep(5)

    clearTimeout(keepAlive)
  })

  it('keeps an appointment further off than a timer reaches', () => {
    const armed: { ms: number; run: () => void }[] = []
    let now = 0
    const base = {
      ...still,
      now: () => now,
      after: (ms: number, run: () => void) => {
        armed.push({ ms, run })
        return () => undefined
      },
    }
    const month = 30 * 86_400_000
    let rang = false
    new MovableTime(base).after(month, () => {
      rang = true
    })

    const first = armed.shift()
    assert.equal(first?.ms, 2 ** 31 - 1)
    now += first.ms
    first.run()
    assert.equal(rang, false)
    const second = armed.shift()
    assert.equal(second?.ms, month - first.ms)
    now += second.ms
    second.run()
    assert.equal(rang, true)
  })
})
