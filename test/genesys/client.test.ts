import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UpstreamError } from '../../src/errors.ts'
import { freePort } from '../support/ports.ts'
import {
  after,
  answers,
  type Behaviour,
  breaksOff,
  grantsTokens,
  hangs,
  resetsAfterReading,
  resetsAtOnce,
  startToxicUpstream,
} from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { buildClient, diary, options, request, scopes } from './support/client.ts'
import { everything } from './support/log-lines.ts'

describe('GenesysClient.call', () => {
  it('sends the request with token and trace, and hands over the answer', async (t) => {
    const { api, client, calls } = await buildClient(t)
    api.queue(answers(201, { id: 'm1' }, { 'inin-correlation-id': 'corr-1' }))
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const reply = await client.call(
      request({ path: '/api/v2/x?y=1' }),
      options({ trace: { parent, state: 'a=1' }, requestId: 'req-1' }),
    )
    assert.equal(reply.status, 201)
    assert.deepEqual(reply.body, { id: 'm1' })
    assert.equal(reply.malformed, false)
    assert.equal(reply.attempts, 1)
    assert.ok(reply.latencyMs > 0)
    assert.equal(reply.contextId, 'corr-1')

    const [seen] = api.seen
    assert.equal(`${seen?.method} ${seen?.path}`, 'POST /api/v2/x?y=1')
    assert.equal(seen?.body, '{"text":"hello"}')
    assert.equal(seen?.headers.authorization, 'Bearer fake-token-1')
    assert.equal(seen?.headers['content-type'], 'application/json')
    assert.equal(seen?.headers['accept-encoding'], 'identity')
    const passedOn = String(seen?.headers.traceparent)
    assert.match(passedOn, /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
    assert.notEqual(passedOn, parent)
    assert.equal(seen?.headers.tracestate, 'a=1')
    assert.equal(seen?.headers['x-request-id'], 'req-1')

    assert.equal(calls.length, 1)
    const { durationMs = 0, ...outcome } = calls[0] ?? {}
    assert.ok(durationMs > 0)
    assert.deepEqual(outcome, {
      operation: 'sendMessage',
      dialect: 'external-guests',
      clientId: 'client-1',
      status: 201,
      code: null,
      attempts: 1,
      quotaWaitMs: 0,
    })
  })

  it('sends no body and no content type where there is none', async (t) => {
    const { api, client } = await buildClient(t)
    const { body: _, ...bare } = request({ method: 'GET' })
    await client.call(bare, options())
    assert.equal(api.seen[0]?.body, '')
    assert.equal(api.seen[0]?.headers['content-type'], undefined)
  })

  for (const status of [202, 204, 400, 404, 409, 413, 422]) {
    it(`leaves ${status} to the dialect`, async (t) => {
      const { api, client } = await buildClient(t)
      api.queue(answers(status, status === 204 ? undefined : { contextId: 'ctx' }))
      const reply = await client.call(request(), options())
      assert.equal(reply.status, status)
      assert.equal(reply.contextId, status === 204 ? null : 'ctx')
      assert.equal(api.seen.length, 1)
    })
  }

  it('leaves a success that is not JSON to the dialect', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(answers(200, '<html>'))
    const reply = await client.call(request(), options())
    assert.equal(reply.malformed, true)
    assert.equal(reply.body, undefined)
  })

  it('does not follow a redirect', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(answers(302, {}, { location: '/elsewhere' }))
    await assert.rejects(client.call(request(), options()), {
      code: 'upstream-invalid-response',
      retryable: false,
    })
    assert.equal(api.seen.length, 1)
  })

  it('lets nothing leave after the deadline', async (t) => {
    const { api, client } = await buildClient(t)
    await assert.rejects(client.call(request(), options({ deadline: Date.now() })), {
      code: 'upstream-timeout',
      fate: 'refused',
      attempts: 0,
    })
    assert.equal(api.seen.length, 0)
  })
})

describe('GenesysClient.call, 401 (A3)', () => {
  it('renews the token and repeats the call once', async (t) => {
    const { api, login, client } = await buildClient(t)
    api.queue(answers(401, { code: 'bad.credentials' }))
    const hooks = diary()
    const reply = await client.call(request(), options(hooks))
    assert.equal(reply.status, 200)
    assert.equal(reply.attempts, 2)
    assert.equal(login.seen.length, 2)
    assert.equal(api.seen[1]?.headers.authorization, 'Bearer fake-token-2')
    assert.deepEqual(hooks.entries, ['leaving', 'returned', 'leaving'])
  })

  it('reports a second one, naming the host and the scopes', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(answers(401, { code: 'bad.credentials', message: 'Invalid', contextId: 'c9' }))
    await assert.rejects(client.call(request(), options()), (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'upstream-unauthorized')
      assert.equal(error.attempts, 2)
      assert.equal(error.fate, 'refused')
      assert.equal(error.retryable, false)
      assert.match(error.message, new RegExp(api.url))
      for (const scope of scopes) assert.match(error.message, new RegExp(scope))
      assert.deepEqual(error.upstream, {
        status: 401,
        code: 'bad.credentials',
        message: 'Invalid',
        contextId: 'c9',
      })
      return true
    })
    assert.equal(api.seen.length, 2)
  })

  it('names the scopes that were not granted, where that is why (A4)', async (t) => {
    const { api, login, client } = await buildClient(t)
    login.usually(grantsTokens({ scope: 'webmessaging:guest:read' }))
    api.usually(answers(401, {}))
    await assert.rejects(client.call(request(), options()), {
      code: 'upstream-forbidden',
      message: /not granted webmessaging:guest:write$/,
    })
  })

  it('renews once for a hundred calls refused at the same time', async (t) => {
    const { api, login, client } = await buildClient(t)
    api.usually((incoming, response, seen) => {
      const stale = incoming.headers.authorization === 'Bearer fake-token-1'
      return answers(stale ? 401 : 200, {})(incoming, response, seen)
    })
    const replies = await Promise.all(
      Array.from({ length: 100 }, () => client.call(request(), options())),
    )
    assert.ok(replies.every(({ status }) => status === 200))
    assert.equal(login.seen.length, 2)
  })
})

describe('GenesysClient.call, 403 (A4)', () => {
  it('names the scopes the call needs, and does not try again', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(answers(403, { code: 'missing.permissions' }))
    await assert.rejects(client.call(request(), options()), (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'upstream-forbidden')
      assert.equal(error.upstream?.code, 'missing.permissions')
      for (const scope of scopes) assert.match(error.message, new RegExp(scope))
      return true
    })
    assert.equal(api.seen.length, 1)
  })
})

describe('GenesysClient.call, answers that pass (M5)', () => {
  it('tries again after 5xx, whatever the request', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(answers(500, {}), answers(503, '<html>'), breaksOff(502))
    const hooks = diary()
    const reply = await client.call(request(), options(hooks))
    assert.equal(reply.attempts, 4)
    assert.deepEqual(hooks.entries, [
      'leaving',
      'returned',
      'leaving',
      'returned',
      'leaving',
      'returned',
      'leaving',
    ])
  })

  it('tries again after 408: the platform never had the whole request', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(answers(408, { code: 'client.timeout' }), answers(200, {}))
    const reply = await client.call(request({ repeatable: false }), options())
    assert.equal(reply.status, 200)
    assert.equal(reply.attempts, 2)

    api.usually(answers(408, {}))
    await assert.rejects(client.call(request(), options()), {
      code: 'upstream-timeout',
      fate: 'refused',
      retryable: true,
    })
  })

  it('gives up after four attempts, and passes on what the platform said', async (t) => {
    const { api, client, calls } = await buildClient(t)
    const body = { code: 'internal.server.error', message: 'boom', contextId: 'ctx-1' }
    api.usually(answers(500, body))
    await assert.rejects(client.call(request(), options()), (error) => {
      assert.ok(error instanceof UpstreamError)
      assert.equal(error.code, 'upstream-error')
      assert.equal(error.attempts, 4)
      assert.equal(error.fate, 'refused')
      assert.equal(error.retryable, true)
      assert.deepEqual(error.upstream, { status: 500, ...body })
      return true
    })
    assert.equal(api.seen.length, 4)
    assert.equal(calls[0]?.code, 'upstream-error')
    assert.equal(calls[0]?.status, null)
  })

  it('fails at once when the wait a 503 asks for does not fit', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(answers(503, {}, { 'retry-after': '60' }))
    await assert.rejects(client.call(request(), options()), {
      code: 'upstream-error',
      attempts: 1,
      retryAfterMs: 60_000,
    })
  })

  it('waits for a host that is not there yet', async (t) => {
    const port = await freePort()
    const { client } = await buildClient(t, { baseUrl: `http://127.0.0.1:${port}` })
    const hooks = diary()
    const calling = client.call(request(), options(hooks))
    await until('it has tried', () => hooks.entries.length >= 6)
    const api = await startToxicUpstream(answers(200, {}), port)
    t.after(() => api[Symbol.asyncDispose]())
    const reply = await calling
    assert.equal(reply.status, 200)
    assert.ok(reply.attempts >= 4)
    assert.equal(api.seen.length, 1)
  })

  it('says that nothing left when the host stays away', async (t) => {
    const port = await freePort()
    const { client } = await buildClient(t, { baseUrl: `http://127.0.0.1:${port}` })
    const calling = client.call(request(), options({ deadline: Date.now() + 150 }))
    await assert.rejects(calling, {
      code: 'upstream-unavailable',
      fate: 'refused',
      retryable: true,
    })
  })
})

describe('GenesysClient.call, answers that are lost (M5)', () => {
  const losses: [string, Behaviour, string][] = [
    ['a reset', resetsAtOnce, 'upstream-error'],
    ['a reset after reading', resetsAfterReading, 'upstream-error'],
    ['a success that breaks off', breaksOff(201), 'upstream-error'],
    ['silence', hangs, 'upstream-timeout'],
  ]
  for (const [name, behaviour, code] of losses) {
    it(`never repeats what may have been acted on: ${name}`, async (t) => {
      const { api, client } = await buildClient(t, { timeoutMs: 150 })
      api.queue(behaviour)
      const hooks = diary()
      await assert.rejects(client.call(request(), options(hooks)), {
        code,
        fate: 'unknown',
        attempts: 1,
        retryable: false,
      })
      assert.equal(api.seen.length, 1)
      assert.deepEqual(hooks.entries, ['leaving'])
    })

    it(`repeats what may be repeated: ${name}`, async (t) => {
      const { api, client } = await buildClient(t, { timeoutMs: 150 })
      api.queue(behaviour)
      const hooks = diary()
      const reply = await client.call(request({ repeatable: true }), options(hooks))
      assert.equal(reply.attempts, 2)
      assert.deepEqual(hooks.entries, ['leaving', 'leaving'])
    })
  }

  it('gives up on a repeatable one after four attempts, its fate unknown', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(resetsAfterReading)
    await assert.rejects(client.call(request({ repeatable: true }), options()), {
      code: 'upstream-error',
      fate: 'unknown',
      attempts: 4,
      retryable: true,
    })
  })

  it('does not forget that an earlier attempt may have been acted on', async (t) => {
    const { api, client } = await buildClient(t)
    api.queue(resetsAfterReading)
    api.usually(answers(403, {}))
    await assert.rejects(client.call(request({ repeatable: true }), options()), {
      code: 'upstream-forbidden',
      fate: 'unknown',
      attempts: 2,
    })
  })

  it('does not repeat an answer that is too large', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(answers(200, `"${'x'.repeat(2 ** 20)}"`))
    await assert.rejects(client.call(request({ repeatable: true }), options()), {
      code: 'upstream-invalid-response',
      fate: 'unknown',
      attempts: 1,
    })
  })
})

describe('GenesysClient.call, its hooks', () => {
  it('lets nothing leave when `leaving` rejects', async (t) => {
    const { api, client, calls } = await buildClient(t)
    const leaving = () => Promise.reject(new Error('store is gone'))
    await assert.rejects(client.call(request(), options({ leaving })), /store is gone/)
    assert.equal(api.seen.length, 0)
    assert.equal(calls[0]?.code, null)
  })

  it('asks `leaving` with token in hand and before the bytes', async (t) => {
    const { api, login, client } = await buildClient(t)
    const seen: number[][] = []
    const leaving = async () => void seen.push([login.seen.length, api.seen.length])
    await client.call(request(), options({ leaving }))
    assert.deepEqual(seen, [[1, 0]])
  })

  it('stops when `returned` rejects', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(answers(503, {}))
    const returned = () => Promise.reject(new Error('store is gone'))
    await assert.rejects(client.call(request(), options({ returned })), /store is gone/)
    assert.equal(api.seen.length, 1)
  })
})

describe('GenesysClient.call, called off', () => {
  it('ends a wait, saying that nothing left', async (t) => {
    const { api, client } = await buildClient(t)
    api.usually(answers(503, {}, { 'retry-after': '5' }))
    const off = new AbortController()
    const calling = client.call(request(), options({ signal: off.signal }))
    await api.arrived(1)
    off.abort()
    await assert.rejects(calling, { code: 'shutting-down', fate: 'refused', attempts: 1 })
    await assert.rejects(client.call(request(), options({ signal: off.signal })), {
      code: 'shutting-down',
      attempts: 0,
    })
  })

  it('lets an attempt that has left finish', async (t) => {
    const { api, client } = await buildClient(t)
    const held = Promise.withResolvers<void>()
    api.queue(after(held.promise, answers(200, {})))
    const off = new AbortController()
    const calling = client.call(request(), options({ signal: off.signal }))
    await api.arrived(1)
    off.abort()
    held.resolve()
    assert.equal((await calling).status, 200)
  })
})

describe('GenesysClient, its secrets', () => {
  it('are in no error and no log line', async (t) => {
    const { api, login, client, log } = await buildClient(t)
    api.usually((incoming, response, seen) => {
      const echo = `you sent ${incoming.headers.authorization} and access_token=fake-token-1`
      return answers(500, { code: 'x', message: echo })(incoming, response, seen)
    })
    login.queue((incoming, response, seen) =>
      answers(401, {
        error: 'invalid_client',
        error_description: `${incoming.headers.authorization}`,
      })(incoming, response, seen),
    )
    const basic = Buffer.from('client-1:fake-client-secret-0001').toString('base64')
    const canaries = ['fake-client-secret-0001', basic, 'fake-token-1']
    for (let n = 0; n < 2; n++) {
      const error = await client.call(request(), options()).then(
        () => assert.fail('the call worked'),
        (reason: unknown) => reason,
      )
      const text = `${everything(error)} ${log.asText()} ${everything(client.health())}`
      for (const canary of canaries) assert.ok(!text.includes(canary), text)
    }
    assert.equal(api.seen.length, 4)
  })
})
