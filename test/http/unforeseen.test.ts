import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pino } from 'pino'
import { systemClock } from '../../src/clock.ts'
import { ApiKeys } from '../../src/http/auth.ts'
import { type AppDeps, buildApp } from '../../src/http/build-app.ts'
import { Origins } from '../../src/http/origins.ts'
import { ApiRateLimiter } from '../../src/http/rate-limit.ts'
import type { App } from '../../src/http/server.ts'
import { apiKeyOf } from '../../src/settings.ts'
import { InvalidCursor, StoreUnavailable } from '../../src/store/store.ts'
import { request } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'

describe('A failure below the routes', () => {
  let app: App
  let url: string
  let failure: unknown
  const logs: string[] = []

  before(async () => {
    const failing = async () => {
      throw failure
    }
    app = buildApp({
      version: 'test',
      logger: pino({}, { write: (line: string) => void logs.push(line) }),
      clock: systemClock,
      keys: new ApiKeys([apiKeyOf('admin', 'admin', 'test-admin-key')]),
      limiter: new ApiRateLimiter('off'),
      origins: new Origins([]),
      trustProxy: false,
      isDraining: () => false,
      onAnswered: () => undefined,
      sessions: { peekText: () => undefined, get: failing, list: failing },
    } as unknown as AppDeps)
    url = await app.listen({ host: '127.0.0.1', port: 0 })
  })
  after(() => app.close())

  it('is overloaded, and to be repeated, while the store cannot be read', async () => {
    failure = new StoreUnavailable('disk I/O error')
    const problem = assertProblem(await request(url, 'GET', '/v1/sessions/gs_1'), 'overloaded')
    assert.deepEqual([problem.retryable, problem.retryAfterSeconds], [true, 5])
  })

  it('is invalid-request, pointing at ?cursor, for a cursor the store did not give', async () => {
    failure = new InvalidCursor('not mine')
    const problem = assertProblem(
      await request(url, 'GET', '/v1/sessions?cursor=x'),
      'invalid-request',
    )
    assert.deepEqual(problem.errors, [
      { pointer: '?cursor', detail: 'is not one this gateway gave' },
    ])
  })

  it('is overloaded when nobody foresaw it: logged in full, told to nobody', async () => {
    for (failure of [
      new Error('secret at /src/x.ts'),
      'a string',
      null,
      undefined,
      new TypeError('x is undefined'),
    ]) {
      logs.length = 0
      const answer = await request(url, 'GET', '/v1/sessions/gs_1')
      const problem = assertProblem(answer, 'overloaded')
      assert.equal(problem.retryable, false)
      assert.doesNotMatch(JSON.stringify(problem), /secret|a string|undefined/)
      assert.match(logs.join(''), /request failed unexpectedly/)
    }
  })
})
