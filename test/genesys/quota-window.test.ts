import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { UpstreamError } from '../../src/errors.ts'
import {
  type Ask,
  type Priority,
  QuotaWindow,
  type Release,
} from '../../src/genesys/quota-window.ts'
import { fullestWindow } from './support/windows.ts'

const soon = 30_000

function ask(priority: Priority = 'message', fields: Partial<Ask> = {}): Ask {
  return { priority, deadline: Date.now() + soon, ...fields }
}

function open(limit: number, windowMs: number, mayQueue = () => true): QuotaWindow {
  return new QuotaWindow({ limit, windowMs }, systemClock, mayQueue)
}

const rateLimited = (check: (error: UpstreamError) => void) => (error: unknown) => {
  assert.ok(error instanceof UpstreamError, String(error))
  assert.equal(error.code, 'rate-limited')
  assert.equal(error.retryable, true)
  assert.equal(error.fate, 'refused')
  check(error)
  return true
}

const between = (from: number, to: number) => from + Math.random() * (to - from)
const pass = (ms: number) => systemClock.sleep(ms)

describe('QuotaWindow (R1)', () => {
  it('never lets more than the limit into any window, and wastes little of it', async () => {
    const limit = 20
    const windowMs = 500
    const window = open(limit, windowMs)
    const arrivals: number[] = []
    const call = async () => {
      const release = await window.acquire(ask())
      await pass(between(1, 8))
      arrivals.push(performance.now())
      await pass(between(1, 8))
      release(true)
    }
    // A burst after idling, then as much as it takes.
    await pass(windowMs)
    await Promise.all(Array.from({ length: 2 * limit }, call))
    await pass(windowMs)
    const startedAt = performance.now()
    const workers = Array.from({ length: 3 * limit }, async () => {
      while (performance.now() - startedAt < 2_000) await call()
    })
    await Promise.all(workers)

    assert.ok(fullestWindow(arrivals, windowMs) <= limit)
    const busy = arrivals.filter((at) => at >= startedAt).toSorted((a, b) => a - b)
    const waves = Math.floor((busy.length - 1) / limit)
    const span = (busy[waves * limit] ?? 0) - (busy[0] ?? 0)
    const used = (waves * windowMs) / span
    console.log(`    used ${(100 * used).toFixed(1)} % of the quota`)
    assert.ok(used >= 0.9, `used ${used}`)
  })

  it('stays within the limit while the process stalls', async () => {
    const limit = 10
    const windowMs = 200
    const window = open(limit, windowMs)
    const arrivals: number[] = []
    const stalls = setInterval(() => {
      const until = performance.now() + 40
      while (performance.now() < until);
    }, 90)
    const call = async () => {
      const release = await window.acquire(ask())
      arrivals.push(performance.now())
      await pass(between(1, 5))
      release(true)
    }
    await Promise.all(Array.from({ length: 6 * limit }, call))
    clearInterval(stalls)
    assert.ok(fullestWindow(arrivals, windowMs) <= limit)
    assert.equal(arrivals.length, 6 * limit)
  })

  it('gives a place back at once when nothing left', async () => {
    const window = open(1, 60_000)
    for (let n = 0; n < 5; n++) (await window.acquire(ask()))(false)
    assert.equal(window.taken, 0)
  })

  it('gives a place back once, however often it is released', async () => {
    const window = open(2, 60_000)
    const release = await window.acquire(ask())
    release(false)
    release(false)
    assert.equal(window.taken, 0)
  })
})

describe('QuotaWindow under load (R2)', () => {
  it('refuses at once what cannot leave before its deadline, and says when it could', async () => {
    const window = open(2, 10_000)
    for (let n = 0; n < 2; n++) (await window.acquire(ask()))(true)
    const startedAt = performance.now()
    await assert.rejects(
      async () => window.acquire(ask('message', { deadline: Date.now() + 1_000 })),
      rateLimited(({ retryAfterMs = 0 }) => {
        assert.ok(retryAfterMs > 9_900 && retryAfterMs <= 10_010, `${retryAfterMs}`)
      }),
    )
    assert.ok(performance.now() - startedAt < 500)
    assert.equal(window.queued, 0)
  })

  it('counts those in line when it says how long', async () => {
    const window = open(2, 10_000)
    for (let n = 0; n < 2; n++) (await window.acquire(ask()))(true)
    const patient = { deadline: Date.now() + 100_000 }
    const waiting = [1, 2, 3].map(async () => window.acquire(ask('message', patient)))
    // Two of them leave after one window and the third after two, and so would a fourth.
    const [message, refresh] = [window.waitMs('message'), window.waitMs('refresh')]
    assert.ok(Math.abs(message - 20_000) < 200, `${message}`)
    assert.ok(Math.abs(refresh - 10_000) < 200, `${refresh}`)
    window.close(new Error('over'))
    await Promise.allSettled(waiting)
  })

  it('keeps its word: who comes back when told to gets a place at once', async () => {
    const window = open(3, 300)
    for (let n = 0; n < 3; n++) (await window.acquire(ask()))(true)
    let retryAfterMs = 0
    await assert.rejects(
      async () => window.acquire(ask('message', { deadline: Date.now() })),
      rateLimited((error) => {
        retryAfterMs = error.retryAfterMs ?? 0
      }),
    )
    await pass(retryAfterMs)
    const startedAt = performance.now()
    await window.acquire(ask())
    assert.ok(performance.now() - startedAt < 100)
  })

  it('refuses when the line is full', async () => {
    const window: QuotaWindow = open(1, 10_000, () => window.queued < 2)
    const release = await window.acquire(ask())
    const waiting = [1, 2].map(async () => window.acquire(ask()))
    await assert.rejects(
      async () => window.acquire(ask()),
      rateLimited(({ retryAfterMs = 0 }) => assert.ok(retryAfterMs > 29_000, `${retryAfterMs}`)),
    )
    release(false)
    window.close(new Error('over'))
    await Promise.allSettled(waiting)
  })

  it('lets a rotation go first, then messages, creations, and polls, those that are awaited before others', async () => {
    const window = open(1, 60_000)
    const held = await window.acquire(ask())
    const order: Priority[] = []
    const waiting = (
      ['poll', 'awaited-poll', 'create', 'message', 'refresh', 'message'] as const
    ).map(async (priority) => {
      const release = await window.acquire(ask(priority, { deadline: Date.now() + 100_000_000 }))
      order.push(priority)
      release(false)
    })
    held(false)
    await Promise.all(waiting)
    assert.deepEqual(order, ['refresh', 'message', 'message', 'create', 'awaited-poll', 'poll'])
  })

  it('lets polls have no more than half of the places', async () => {
    const window = open(4, 60_000)
    const polls = [await window.acquire(ask('poll')), await window.acquire(ask('poll'))]
    await assert.rejects(
      async () => window.acquire(ask('poll')),
      rateLimited(() => undefined),
    )
    const message = await window.acquire(ask('message'))
    assert.equal(window.taken, 3)
    for (const release of polls) release(false)
    await window.acquire(ask('poll'))
    message(false)
  })

  it('lets polls that somebody waits for have nine of ten places', async () => {
    const window = open(20, 60_000)
    for (let n = 0; n < 10; n += 1) await window.acquire(ask('poll'))
    assert.ok(window.waitMs('poll') > 0)
    for (let n = 10; n < 18; n += 1) await window.acquire(ask('awaited-poll'))
    assert.ok(window.waitMs('awaited-poll') > 0)
    assert.equal(window.waitMs('message'), 0)
  })

  it('refuses a caller in line at its deadline, and forgets its place', async () => {
    const window = open(1, 200)
    const held = await window.acquire(ask())
    const impatient = async () => window.acquire(ask('message', { deadline: Date.now() + 250 }))
    const waiting = Array.from({ length: 50 }, impatient)
    const results = await Promise.allSettled(waiting)
    assert.ok(results.every(({ status }) => status === 'rejected'))
    assert.equal(window.queued, 0)
    held(false)
    const startedAt = performance.now()
    ;(await window.acquire(ask()))(false)
    assert.ok(performance.now() - startedAt < 100)
    assert.equal(window.taken, 0)
  })

  it('forgets a caller that is called off', async () => {
    const window = open(1, 60_000)
    const held = await window.acquire(ask())
    const off = new AbortController()
    const patient = { deadline: Date.now() + 100_000_000, signal: off.signal }
    const waiting = [1, 2].map(async () => window.acquire(ask('message', patient)))
    const next = window.acquire(ask('message', { deadline: Date.now() + 100_000_000 }))
    off.abort(new Error('called off'))
    for (const each of waiting) await assert.rejects(each, /called off/)
    await assert.rejects(async () => window.acquire(ask('message', patient)), /called off/)
    held(false)
    ;(await next)(false)
    assert.equal(window.taken, 0)
  })

  it('loses no place to callers that give up while they are being let in', async () => {
    const window = open(20, 60_000)
    const off = new AbortController()
    const entering = Array.from({ length: 20 }, async () =>
      window.acquire(ask('message', { signal: off.signal })),
    )
    off.abort(new Error('called off'))
    for (const each of entering) await assert.rejects(each, /called off/)
    const patient = { deadline: Date.now() + 100_000_000 }
    const others = Array.from({ length: 20 }, async () => window.acquire(ask('message', patient)))
    for (const release of await Promise.all(others)) release(false)
    assert.equal(window.taken, 0)
  })
})

describe('QuotaWindow, paused', () => {
  it('lets nobody leave before the end, those in line included', async () => {
    const window = open(1, 50)
    const held = await window.acquire(ask())
    const waiting = [1, 2, 3].map(async () => {
      const release = await window.acquire(ask())
      release(true)
      return Date.now()
    })
    const until = Date.now() + 300
    window.pause(until)
    window.pause(until - 200)
    held(true)
    assert.equal(window.pausedUntil, until)
    for (const left of await Promise.all(waiting)) assert.ok(left >= until, `${until - left} early`)
    assert.equal(window.pausedUntil, null)
  })

  it('holds callers that are being let in when it begins', async () => {
    const window = open(5, 1_000)
    const entering = [1, 2, 3].map(async () => {
      await window.acquire(ask())
      return Date.now()
    })
    const until = Date.now() + 200
    window.pause(until)
    for (const left of await Promise.all(entering)) assert.ok(left >= until)
  })

  it('refuses at once whoever cannot wait that long', async () => {
    const window = open(1, 10)
    await window.acquire(ask())
    const impatient = window.acquire(ask('message', { deadline: Date.now() + 5_000 }))
    window.pause(Date.now() + 20_000)
    const about20s = rateLimited(({ retryAfterMs = 0 }) => {
      assert.ok(retryAfterMs > 19_000 && retryAfterMs <= 20_000, `${retryAfterMs}`)
    })
    await assert.rejects(async () => impatient, about20s)
    const late = ask('message', { deadline: Date.now() + 5_000 })
    await assert.rejects(async () => window.acquire(late), about20s)
  })

  it('stops callers without a limit as well, and only then', async () => {
    const window = new QuotaWindow('off', systemClock, () => true)
    const immediate = window.acquire(ask())
    assert.equal(typeof immediate, 'function')
    ;(immediate as Release)(true)
    assert.equal(window.taken, 0)

    const until = Date.now() + 150
    window.pause(until)
    const releases = await Promise.all([1, 2, 3].map(async () => window.acquire(ask('poll'))))
    assert.ok(Date.now() >= until)
    for (const release of releases) release(true)
    assert.equal(window.taken, 0)
  })
})
