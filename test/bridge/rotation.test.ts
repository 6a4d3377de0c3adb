import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { GatewayError, UpstreamError } from '../../src/errors.ts'
import type { UpstreamRequest } from '../../src/genesys/dialect.ts'
import { dialects } from '../../src/genesys/dialects/index.ts'
import { SessionRegistry } from '../../src/sessions/registry.ts'
import { Rotation } from '../../src/sessions/rotation.ts'
import type { Session } from '../../src/sessions/session.ts'
import { created } from '../../src/sessions/steps.ts'
import { openStore } from '../../src/store/open-store.ts'
import { type Change, StoreUnavailable } from '../../src/store/store.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { sampleSession } from '../store/samples.ts'
import { until } from '../support/until.ts'
import { pass } from './support/moving-time.ts'

const minute = 60_000
const hour = 60 * minute
const guestSessions = dialects['guest-sessions']

type Answer =
  | { status: number; body?: unknown }
  | Error
  | Promise<{ status: number; body?: unknown }>

/** A session whose tokens live for `lifeMs`, on a platform that spends each refresh token once. */
async function start(t: TestContext, life: { lifeMs?: number; leftMs?: number } = {}) {
  const { lifeMs = hour, leftMs = lifeMs } = life
  const clock = new FakeClock()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const plain = await openStore({ location: 'memory', sync: 'normal', key: undefined, log, clock })
  const disk = { full: false }
  const store = new Proxy(plain, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (name !== 'commit') return typeof value === 'function' ? value.bind(target) : value
      return async (change: Change) => {
        if (disk.full) throw new StoreUnavailable('the disk is full')
        return target.commit(change)
      }
    },
  })
  const registry = new SessionRegistry(store)
  const platform = {
    calls: [] as { at: number; path: string; body: unknown }[],
    good: 'fake-refresh-0',
    /** Instead of a good answer. */
    answer: undefined as ((call: number) => Answer | undefined) | undefined,
    /** Taken out of a good answer. */
    without: [] as string[],
    /** How its ends are written. */
    endsAt: (at: number): unknown => new Date(at).toISOString(),
    over: [] as string[],
  }
  const call = async (request: UpstreamRequest) => {
    const number = platform.calls.push({ at: clock.now(), ...pick(request) })
    const instead = platform.answer?.(number)
    const answer = instead ?? refreshed(request, number)
    if (answer instanceof Error) throw answer
    const { status, body } = await answer
    return { status, body, malformed: false, attempts: 1, latencyMs: 1, contextId: null }
  }
  const refreshed = ({ body }: UpstreamRequest, number: number) => {
    if (body?.refreshToken !== platform.good) return { status: 400, body: { message: 'spent' } }
    const fresh = {
      accessToken: `fake-access-${number}`,
      refreshToken: `fake-refresh-${number}`,
      expiresAt: platform.endsAt(clock.now() + lifeMs),
    }
    if (!platform.without.includes('refreshToken')) platform.good = fresh.refreshToken
    const given = Object.entries(fresh).filter(([name]) => !platform.without.includes(name))
    return { status: 200, body: Object.fromEntries(given) }
  }
  const first = newSession(clock.now(), clock.now() + leftMs)
  const { id } = await registry.insert(
    created(first, { at: clock.now(), actor: null, trace: null }),
  )
  const troubles: unknown[] = []
  const rotation = new Rotation({
    registry,
    client: { call },
    clock,
    dialectOf: () => guestSessions,
    timeoutMs: 10_000,
    onTrouble: (_id, error) => troubles.push(error),
    onEnd: (sessionId) => platform.over.push(sessionId),
  })
  t.after(async () => {
    rotation[Symbol.dispose]()
    await plain[Symbol.asyncDispose]()
  })
  const session = () => registry.get(id)
  return {
    clock,
    rotation,
    platform,
    disk,
    id,
    troubles,
    session,
    watch: async () => rotation.watch(await session()),
    takeUp: async () => rotation.takeUp(await session()),
    calls: () => platform.calls.length,
    count: async (type: string) =>
      (await store.eventsOf(id, 0, 1000)).filter((event) => event.type === type).length,
    pass: (ms: number, stepMs = minute / 2) => pass(clock, ms, stepMs),
  }
}

function pick({ path, body }: UpstreamRequest) {
  return { path, body }
}

function newSession(at: number, tokenExpiresAt: number): Session {
  return sampleSession({
    version: 0,
    sequence: 0,
    dialect: 'guest-sessions',
    createdAt: at,
    tokenExpiresAt,
    upstream: {
      guestSessionId: 'guest session/1',
      websocketUrl: 'ws://127.0.0.1:1/guest',
      origin: null,
      tokenExpiresAt,
    },
    secrets: { accessToken: 'fake-access-0', refreshToken: 'fake-refresh-0' },
  })
}

const down = () => new UpstreamError('upstream-error', '503', { fate: 'refused', attempts: 4 })

describe('rotation on a sliding window (G6)', { concurrency: 4 }, () => {
  it('replaces a token when fifteen minutes are left, and not before', async (t) => {
    const { watch, pass, calls, platform, session, count, clock } = await start(t)
    const before = await session()
    await watch()
    await pass(44 * minute)
    assert.equal(calls(), 0)
    await pass(2 * minute)
    assert.equal(calls(), 1)
    assert.deepEqual(platform.calls[0]?.body, { refreshToken: 'fake-refresh-0' })
    assert.match(platform.calls[0]?.path ?? '', /guest-sessions\/guest%20session%2F1\/refresh$/)
    const after = await session()
    assert.deepEqual(after.secrets, {
      accessToken: 'fake-access-1',
      refreshToken: 'fake-refresh-1',
    })
    assert.equal(after.version, before.version + 1)
    assert.equal(await count('session.token_rotated'), 1)
    assert.equal(await count('session.expiring'), 0)
    const leftMs = (after.tokenExpiresAt ?? 0) - clock.now()
    assert.ok(leftMs > 55 * minute && leftMs <= hour)
  })

  it('goes on for as long as the session does, and spends each refresh token once', async (t) => {
    const { watch, pass, calls, platform, session, troubles } = await start(t)
    await watch()
    await pass(10 * hour)
    assert.ok(calls() >= 12 && calls() <= 14, `${calls()} calls in ten hours`)
    const spent = platform.calls.map(({ body }) => (body as { refreshToken: string }).refreshToken)
    assert.equal(new Set(spent).size, spent.length)
    assert.equal((await session()).state, 'active')
    assert.deepEqual(troubles, [])
  })

  it('replaces a short-lived token at half its life', async (t) => {
    const { watch, pass, calls, session } = await start(t, { lifeMs: 10 * minute })
    await watch()
    await pass(4.5 * minute)
    assert.equal(calls(), 0)
    await pass(minute)
    assert.equal(calls(), 1)
    await pass(55 * minute)
    assert.ok(calls() >= 11 && calls() <= 13, `${calls()} calls in an hour`)
    assert.equal((await session()).state, 'active')
  })

  it('keeps to fifteen minutes where a token lives hardly longer, and asks once a minute at most', async (t) => {
    const { watch, pass, calls } = await start(t, { lifeMs: 15 * minute + 3000 })
    await watch()
    await pass(2000, 1000)
    assert.equal(calls(), 0)
    await pass(2000, 1000)
    assert.equal(calls(), 1)
    await pass(10 * minute, 5000)
    assert.ok(calls() >= 10 && calls() <= 11, `${calls()} calls in ten minutes`)
  })

  it('replaces it at once where a restart finds less than fifteen minutes left', async (t) => {
    const { takeUp, pass, calls } = await start(t, { leftMs: 10 * minute })
    await takeUp()
    await pass(1, 1)
    assert.equal(calls(), 1)
    await pass(44 * minute)
    assert.equal(calls(), 1)
  })

  it('tries to replace one that ended while nobody was there to do it', async (t) => {
    const { takeUp, clock, pass, calls, session } = await start(t)
    clock.advance(3 * hour)
    await takeUp()
    await pass(1, 1)
    assert.equal(calls(), 1)
    assert.equal((await session()).state, 'active')
    assert.equal((await session()).secrets?.accessToken, 'fake-access-1')
  })

  for (const field of ['accessToken', 'refreshToken', 'expiresAt']) {
    it(`goes on with what it had where the answer lacks ${field}`, async (t) => {
      const { watch, pass, calls, platform, session, count } = await start(t)
      platform.without = [field]
      await watch()
      await pass(6 * hour)
      assert.equal((await session()).state, 'active')
      assert.equal(await count('session.expiring'), 0)
      // It may ask more often where the platform does not say for how long a token is good, but not without end.
      assert.ok(calls() >= 6 && calls() <= 30, `${calls()} calls in six hours`)
    })
  }

  it('bears ends that seem to be past: somebody’s clock is wrong', async (t) => {
    const { watch, pass, calls, platform, session } = await start(t, { leftMs: -2 * hour })
    platform.endsAt = (at) => new Date(at - 3 * hour).toISOString()
    await watch()
    await pass(6 * hour)
    assert.equal((await session()).state, 'active')
    assert.ok(calls() >= 6 && calls() <= 40, `${calls()} calls in six hours`)
  })

  for (const [name, write] of [
    [
      'with an offset',
      (at: number) => `${new Date(at + 2 * hour).toISOString().slice(0, -1)}+02:00`,
    ],
    ['without a zone', (at: number) => new Date(at).toISOString().slice(0, -1)],
    ['in epoch seconds', (at: number) => Math.floor(at / 1000)],
  ] as const) {
    it(`understands ends written ${name}`, async (t) => {
      const { watch, pass, platform, session, clock } = await start(t)
      platform.endsAt = write
      await watch()
      await pass(46 * minute)
      const leftMs = ((await session()).tokenExpiresAt ?? 0) - clock.now()
      assert.ok(leftMs > 57 * minute && leftMs <= hour, `${leftMs / minute} minutes`)
    })
  }
})

describe('a rotation that fails', { concurrency: 4 }, () => {
  it('is tried again until it works, and nobody hears of it', async (t) => {
    const { watch, pass, calls, platform, session, count } = await start(t)
    platform.answer = (call) => (call < 5 ? down() : undefined)
    await watch()
    await pass(50 * minute, 5_000)
    assert.equal(calls(), 5)
    assert.equal((await session()).state, 'active')
    assert.equal(await count('session.token_rotated'), 1)
    assert.equal(await count('session.expiring'), 0)
  })

  it('is told once, five minutes before the end', async (t) => {
    const { watch, pass, platform, count } = await start(t)
    platform.answer = () => down()
    await watch()
    await pass(54.5 * minute, 5_000)
    assert.equal(await count('session.expiring'), 0)
    await pass(minute, 5_000)
    assert.equal(await count('session.expiring'), 1)
    await pass(4 * minute, 5_000)
    assert.equal(await count('session.expiring'), 1)
  })

  it('is told again for the next token', async (t) => {
    const { watch, pass, platform, count } = await start(t)
    platform.answer = () => down()
    await watch()
    await pass(56 * minute, 5_000)
    platform.answer = undefined
    await pass(minute, 5_000)
    platform.answer = () => down()
    await pass(57 * minute, 5_000)
    assert.equal(await count('session.expiring'), 2)
  })

  it('does not cost the guest when the platform comes back shortly after the end', async (t) => {
    const { watch, pass, platform, session } = await start(t)
    platform.answer = () => down()
    await watch()
    await pass(62 * minute, 5_000)
    assert.equal((await session()).state, 'active')
    platform.answer = undefined
    await pass(minute, 5_000)
    assert.equal((await session()).secrets?.accessToken !== 'fake-access-0', true)
  })

  it('does not cost the guest when the platform comes back after hours, and does not overrun it', async (t) => {
    const { watch, pass, platform, session, calls } = await start(t)
    platform.answer = () => down()
    await watch()
    await pass(hour, 5_000)
    const before = calls()
    await pass(3 * hour, 15_000)
    assert.equal((await session()).state, 'active')
    assert.ok(calls() - before < 3 * 20, `${calls() - before} calls in three hours`)
    platform.answer = undefined
    await pass(5 * minute, 15_000)
    assert.notEqual((await session()).secrets?.accessToken, 'fake-access-0')
  })

  it('ends the session as expired when the platform stays away for longer than it keeps guests', async (t) => {
    const { watch, pass, platform, session, id, calls } = await start(t)
    platform.answer = () => down()
    await watch()
    await pass(24 * hour, 5 * minute)
    assert.equal((await session()).state, 'active')
    await pass(2 * hour, 5 * minute)
    const { state, closeReason, secrets } = await session()
    assert.deepEqual(
      [state, closeReason, secrets],
      ['expired', 'the guest token ended and could not be replaced', null],
    )
    assert.deepEqual(platform.over, [id])
    const tried = calls()
    await pass(hour)
    assert.equal(calls(), tried)
  })

  it('ends the session as expired within minutes when the platform is there and does not replace it', async (t) => {
    const { watch, pass, platform, session } = await start(t)
    platform.answer = () => ({ status: 422, body: { message: 'not now' } })
    await watch()
    await pass(70 * minute, 5_000)
    assert.equal((await session()).state, 'expired')
  })

  for (const status of [400, 401, 404, 410]) {
    it(`ends the session as expired at once when the refresh token is dead (${status})`, async (t) => {
      const { watch, pass, platform, session, id, calls } = await start(t)
      platform.answer = () => ({ status, body: { message: 'Not a good refresh token' } })
      await watch()
      await pass(46 * minute)
      const { state, closeReason } = await session()
      assert.equal(state, 'expired')
      assert.match(closeReason ?? '', /refresh token is spent.*Not a good refresh token/)
      assert.deepEqual(platform.over, [id])
      assert.equal(calls(), 1)
    })
  }

  it('takes a second 401, to a fresh OAuth token, for the guest’s own', async (t) => {
    const { rotation, platform, session, id } = await start(t)
    platform.answer = () =>
      new UpstreamError('upstream-unauthorized', '401 again', { fate: 'refused', attempts: 2 })
    await assert.rejects(rotation.rotate(id), { code: 'session-closed' })
    assert.equal((await session()).state, 'expired')
  })

  it('to be written down is tried until the store takes it: the old token is spent', async (t) => {
    const { rotation, disk, pass, calls, session, id } = await start(t)
    disk.full = true
    const rotated = rotation.rotate(id)
    await pass(5_000, 500)
    assert.equal((await session()).secrets?.accessToken, 'fake-access-0')
    disk.full = false
    await pass(2_000, 500)
    assert.equal((await rotated).secrets?.accessToken, 'fake-access-1')
    assert.equal(calls(), 1)
  })

  it('keeps the session when it is the OAuth client that may not', async (t) => {
    const { rotation, platform, session, id } = await start(t)
    platform.answer = () =>
      new UpstreamError('upstream-forbidden', 'scopes', { fate: 'refused', attempts: 1 })
    await assert.rejects(rotation.rotate(id), { code: 'upstream-forbidden' })
    assert.equal((await session()).state, 'active')
  })
})

describe('a rotation somebody asks for', { concurrency: 4 }, () => {
  it('is one, however many ask at the same time', async (t) => {
    const { rotation, platform, calls, id, count } = await start(t)
    const gate = Promise.withResolvers<void>()
    const fresh = { accessToken: 'fake-access-1', refreshToken: 'fake-refresh-1' }
    platform.answer = () => gate.promise.then(() => ({ status: 200, body: fresh }))
    const asked = [1, 2, 3, 4, 5].map(() => rotation.rotate(id))
    await until('the call', () => calls() === 1)
    gate.resolve()
    const sessions = await Promise.all(asked)
    assert.equal(calls(), 1)
    assert.ok(sessions.every(({ secrets }) => secrets?.accessToken === 'fake-access-1'))
    assert.equal(await count('session.token_rotated'), 1)
  })

  it('moves the next one', async (t) => {
    const { rotation, watch, pass, calls, id } = await start(t)
    await watch()
    await pass(30 * minute)
    await rotation.rotate(id)
    await pass(44 * minute)
    assert.equal(calls(), 1)
    await pass(2 * minute)
    assert.equal(calls(), 2)
  })

  it('is refused for a session that is over, without asking the platform', async (t) => {
    const { rotation, platform, calls, id } = await start(t)
    platform.answer = () => ({ status: 404 })
    await assert.rejects(rotation.rotate(id), { code: 'session-closed' })
    await assert.rejects(rotation.rotate(id), (error: unknown) => {
      return error instanceof GatewayError && error.code === 'session-closed'
    })
    assert.equal(calls(), 1)
  })
})
