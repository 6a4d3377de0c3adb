import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { UpstreamError } from '../../src/errors.ts'
import type { OAuthStyle } from '../../src/genesys/credentials.ts'
import type { HttpRequest } from '../../src/genesys/outcome.ts'
import { TokenManager } from '../../src/genesys/token-manager.ts'
import { Transport } from '../../src/genesys/transport.ts'
import {
  after,
  answers,
  type Behaviour,
  grantsTokens,
  hangs,
  resetsAfterReading,
  startToxicUpstream,
} from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { FakeClock } from './support/fake-clock.ts'
import { everything, keepLog } from './support/log-lines.ts'

const secret = 'fake-client-secret-0001'
const scopes = ['webmessaging:guest:write', 'webmessaging:guest:read']

async function build(
  t: TestContext,
  usual: Behaviour = grantsTokens(),
  style: OAuthStyle = 'basic',
) {
  const login = await startToxicUpstream(usual)
  const transport = new Transport(login.url, { clock: systemClock })
  const clock = new FakeClock()
  const log = keepLog()
  const tokens = new TokenManager({
    client: { id: 'client-1', secret },
    style,
    loginUrl: login.url,
    send: (request: HttpRequest) => transport.send({ ...request, leaveBy: Date.now() + 5_000 }),
    clock,
    log,
  })
  t.after(async () => {
    tokens.close(new Error('test over'))
    await transport.close(0)
    await login[Symbol.asyncDispose]()
  })
  return { login, tokens, clock, log }
}

/** Lets sockets and promises do what they can until `done`. */
describe('TokenManager, asking (A1)', () => {
  it('sends the credentials in a Basic header', async (t) => {
    const { login, tokens } = await build(t)
    const token = await tokens.get(scopes)
    assert.equal(token.value, 'fake-token-1')
    const [seen] = login.seen
    assert.equal(seen?.method, 'POST')
    assert.equal(seen?.path, '/oauth/token')
    assert.equal(seen?.headers['content-type'], 'application/x-www-form-urlencoded')
    const basic = Buffer.from(`client-1:${secret}`).toString('base64')
    assert.equal(seen?.headers.authorization, `Basic ${basic}`)
    assert.deepEqual(Object.fromEntries(new URLSearchParams(seen?.body)), {
      grant_type: 'client_credentials',
      scope: 'webmessaging:guest:read webmessaging:guest:write',
    })
  })

  it('sends the credentials in the form, where so configured', async (t) => {
    const { login, tokens } = await build(t, grantsTokens(), 'body')
    await tokens.get([])
    const [seen] = login.seen
    assert.equal(seen?.headers.authorization, undefined)
    assert.deepEqual(Object.fromEntries(new URLSearchParams(seen?.body)), {
      grant_type: 'client_credentials',
      client_id: 'client-1',
      client_secret: secret,
    })
  })
})

describe('TokenManager, keeping (A2)', () => {
  it('asks once per set of scopes, in whatever order, and a covering set serves', async (t) => {
    const { login, tokens } = await build(t)
    await tokens.get(scopes)
    await tokens.get([...scopes].reverse())
    await tokens.get(['webmessaging:guest:read'])
    assert.equal(login.seen.length, 1)
    await tokens.get(['conversation:messaging:write'])
    assert.equal(login.seen.length, 2)
  })

  it('asks once however many callers wait', async (t) => {
    const { login, tokens } = await build(t)
    const got = await Promise.all(Array.from({ length: 100 }, () => tokens.get(scopes)))
    assert.equal(login.seen.length, 1)
    assert.ok(got.every(({ value }) => value === 'fake-token-1'))
  })

  it('refreshes in the background from 300 s before the end, and goes on with the old token', async (t) => {
    const { login, tokens, clock } = await build(t, grantsTokens({ expires_in: 3_600 }))
    await tokens.get(scopes)
    clock.advance(3_299_000)
    assert.equal(tokens.current(scopes)?.value, 'fake-token-1')
    assert.equal(login.seen.length, 1)
    clock.advance(1_000)
    assert.equal(tokens.current(scopes)?.value, 'fake-token-1')
    assert.equal((await tokens.get(scopes)).value, 'fake-token-1')
    await until('the new token', () => tokens.current(scopes)?.value === 'fake-token-2')
    assert.equal(login.seen.length, 2)
  })

  it('never uses a token in its last 30 s', async (t) => {
    const { tokens, clock } = await build(t, grantsTokens({ expires_in: 3_600 }))
    await tokens.get(scopes)
    clock.advance(3_570_000)
    assert.equal(tokens.current(scopes), undefined)
    assert.equal((await tokens.get(scopes)).value, 'fake-token-2')
  })

  it('scales both for a token that lives a minute', async (t) => {
    const { login, tokens, clock } = await build(t, grantsTokens({ expires_in: '60' }))
    await tokens.get(scopes)
    clock.advance(29_000)
    for (let n = 0; n < 10; n++) await tokens.get(scopes)
    assert.equal(login.seen.length, 1)
    clock.advance(1_000)
    assert.equal((await tokens.get(scopes)).value, 'fake-token-1')
    await until('the new token', () => tokens.current(scopes)?.value === 'fake-token-2')
    clock.advance(45_000)
    assert.equal((await tokens.get(scopes)).value, 'fake-token-3')
  })

  it('keeps the old token when a refresh fails, and does not try again at once', async (t) => {
    const { login, tokens, clock, log } = await build(t, grantsTokens({ expires_in: 3_600 }))
    await tokens.get(scopes)
    login.usually(answers(401, { error: 'invalid_client' }))
    clock.advance(3_300_000)
    assert.equal(tokens.current(scopes)?.value, 'fake-token-1')
    await until('it is logged', () => log.lines.length > 0)
    for (let n = 0; n < 10; n++) assert.equal(tokens.current(scopes)?.value, 'fake-token-1')
    await login.arrived(2)
    assert.equal(login.seen.length, 2)
    assert.equal(tokens.state, 'ok')
    clock.advance(10_000)
    tokens.current(scopes)
    await login.arrived(3)
  })

  it('drops exactly the token it is given', async (t) => {
    const { login, tokens } = await build(t)
    const old = await tokens.get(scopes)
    const another = await tokens.get(['another:scope'])
    tokens.drop(old)
    assert.equal(tokens.current(scopes), undefined)
    assert.equal(tokens.current(['another:scope'])?.value, another.value)
    const renewed = await tokens.get(scopes)
    tokens.drop(old)
    assert.equal(tokens.current(scopes)?.value, renewed.value)
    assert.equal(login.seen.length, 3)
  })
})

describe('TokenManager, when the login host is unwell', () => {
  const transient: [string, Behaviour][] = [
    ['429', answers(429, {}, { 'retry-after': '2' })],
    ['503', answers(503, {})],
    ['a reset', resetsAfterReading],
  ]
  for (const [name, behaviour] of transient) {
    it(`tries again after ${name}`, async (t) => {
      const { login, tokens, clock } = await build(t)
      login.queue(behaviour)
      const getting = tokens.get(scopes)
      await until('it waits', () => clock.pending > 0)
      clock.advance(5_000)
      assert.equal((await getting).value, 'fake-token-1')
      assert.equal(login.seen.length, 2)
    })
  }

  it('gives up after 15 s', async (t) => {
    const { login, tokens, clock } = await build(t, answers(503, {}))
    const getting = tokens.get(scopes)
    const failing = assert.rejects(getting, (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'upstream-error')
      assert.equal(error.fate, 'refused')
      assert.equal(error.retryable, true)
      return true
    })
    let over = false
    failing.finally(() => {
      over = true
    })
    const startedAt = clock.now()
    while (!over) {
      await until('it waits or is over', () => clock.pending > 0 || over)
      if (!over) clock.advance(500)
    }
    await failing
    assert.ok(clock.now() - startedAt <= 15_500, `${clock.now() - startedAt} ms`)
    assert.ok(login.seen.length > 2)
    assert.match(tokens.state, /answered 503/)
  })

  it('says of every attempt that fails, when it fails, why and when the next one is', async (t) => {
    const { login, tokens, clock, log } = await build(t)
    login.queue(answers(503, {}))
    login.queue(resetsAfterReading)
    const getting = tokens.get(scopes)
    for (const [attempt, why] of [/answered 503/, /no access token/].entries()) {
      await until('it is logged', () => log.lines.length > attempt)
      const { fields, level } = log.lines[attempt] ?? assert.fail()
      assert.equal(level, 'warn')
      assert.equal(fields.attempt, attempt + 1)
      assert.ok(Number(fields.againInMs) >= 0)
      assert.match((fields.err as Error).message, why)
      assert.match(tokens.state, why)
      await until('it waits', () => clock.pending > 0)
      clock.advance(5_000)
    }
    await getting
    assert.equal(tokens.state, 'ok')
    assert.equal(log.lines.length, 2)
  })

  it('has nothing to say of an attempt that a stop broke off', async (t) => {
    const { login, tokens, log } = await build(t, hangs)
    const getting = tokens.get(scopes)
    const refused = assert.rejects(getting, /stopping/)
    await login.arrived(1)
    tokens.close(new Error('stopping'))
    await login[Symbol.asyncDispose]()
    await refused
    assert.deepEqual([log.lines, tokens.state], [[], 'none'])
  })

  for (const status of [400, 401, 403]) {
    it(`does not try again after ${status}, and says what to check`, async (t) => {
      const body = { error: 'invalid_client', error_description: 'authentication failed' }
      const { login, tokens } = await build(t, answers(status, body))
      await assert.rejects(tokens.get(scopes), (error) => {
        assert.ok(error instanceof UpstreamError)
        assert.equal(error.code, 'upstream-unauthorized')
        assert.equal(error.retryable, false)
        assert.match(error.message, new RegExp(login.url))
        assert.match(error.message, /secret/)
        assert.match(error.message, /region/)
        assert.equal(error.upstream?.code, 'invalid_client')
        return true
      })
      assert.equal(login.seen.length, 1)
    })
  }

  const nonsense: [string, Behaviour][] = [
    ['no token', answers(200, { token_type: 'bearer', expires_in: 60 })],
    ['a token that is a number', answers(200, { access_token: 5, expires_in: 60 })],
    ['a token no header can carry', answers(200, { access_token: 'a b\n', expires_in: 60 })],
    ['a life that is a word', answers(200, { access_token: 'fake', expires_in: 'soon' })],
    ['no life at all', answers(200, { access_token: 'fake', expires_in: 0 })],
    ['not JSON', answers(200, '<html>')],
    ['a redirect', answers(302, {}, { location: '/' })],
  ]
  for (const [name, behaviour] of nonsense) {
    it(`refuses an answer with ${name}`, async (t) => {
      const { tokens } = await build(t, behaviour)
      await assert.rejects(tokens.get(scopes), { code: 'upstream-invalid-response' })
    })
  }

  it('lets a caller go at its own deadline, and the fetch go on for others', async (t) => {
    const { login, tokens, clock } = await build(t)
    const held = Promise.withResolvers<void>()
    login.queue(after(held.promise, grantsTokens()))
    const impatient = tokens.get(scopes, { deadline: clock.now() + 100 })
    const off = new AbortController()
    const calledOff = tokens.get(scopes, { signal: off.signal })
    const patient = tokens.get(scopes)
    clock.advance(100)
    await assert.rejects(impatient, { code: 'upstream-timeout', fate: 'refused' })
    off.abort(new Error('called off'))
    await assert.rejects(calledOff, /called off/)
    held.resolve()
    assert.equal((await patient).value, 'fake-token-1')
    assert.equal(login.seen.length, 1)
  })

  it('gives one request all of the 15 s', async () => {
    const requests: HttpRequest[] = []
    const cause = new Error('nothing came')
    const tokens = new TokenManager({
      client: { id: 'client-1', secret },
      style: 'basic',
      loginUrl: 'http://login.example',
      clock: new FakeClock(),
      log: keepLog(),
      send: async (request) => {
        requests.push(request)
        return { kind: 'fault', fault: 'untrusted', fate: 'refused', cause, latencyMs: 0 }
      },
    })
    await assert.rejects(tokens.get(scopes), { code: 'upstream-unavailable', cause })
    assert.deepEqual(
      requests.map(({ timeoutMs }) => timeoutMs),
      [15_000],
    )
  })

  it('ends waiting when closed', async (t) => {
    const { tokens, clock } = await build(t, answers(503, {}))
    const getting = tokens.get(scopes)
    await until('it waits', () => clock.pending > 0)
    tokens.close(new Error('closing'))
    await assert.rejects(getting, /closing/)
    await assert.rejects(tokens.get(scopes), /closing/)
  })
})

describe('TokenManager, scopes (A5)', () => {
  it('tells which were not granted, and logs them once', async (t) => {
    const granted = { scope: 'webmessaging:guest:write other', expires_in: 60 }
    const { tokens, clock, log } = await build(t, grantsTokens(granted))
    assert.equal(tokens.missingScopes(scopes), undefined)
    await tokens.get(scopes)
    assert.deepEqual(tokens.missingScopes(scopes), ['webmessaging:guest:read'])
    assert.deepEqual(tokens.missingScopes(['webmessaging:guest:write']), [])
    assert.deepEqual(tokens.allMissingScopes(), ['webmessaging:guest:read'])
    clock.advance(60_000)
    await tokens.get(scopes)
    assert.equal(log.lines.length, 1)
    assert.deepEqual(log.lines[0]?.fields.missingScopes, ['webmessaging:guest:read'])
  })

  it('takes all as granted where the platform does not say', async (t) => {
    const { tokens, log } = await build(t)
    await tokens.get(scopes)
    assert.deepEqual(tokens.missingScopes(scopes), [])
    assert.equal(log.lines.length, 0)
  })
})

describe('TokenManager, secrets', () => {
  it('shows none in errors and logs', async (t) => {
    const basic = Buffer.from(`client-1:${secret}`).toString('base64')
    const echo = {
      error: 'invalid_client',
      error_description: `bad Basic ${basic}, client_secret=${secret}`,
    }
    const { tokens, log } = await build(t, answers(401, echo))
    const error = await tokens.get(scopes).then(
      () => assert.fail('got a token'),
      (reason: unknown) => reason,
    )
    for (const text of [everything(error), log.asText(), tokens.state]) {
      assert.ok(!text.includes(secret), text)
      assert.ok(!text.includes(basic), text)
    }
  })
})
