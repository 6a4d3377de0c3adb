import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, it } from 'node:test'
import { type Answer, adminKey } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse } from '../support/sse.ts'
import { shop, stranger } from './support/tokens.ts'

/** As a browser's network stack makes it; `fetch` here keeps some of these headers for itself. */
async function ask(url: string, method: string, headers: Record<string, string>): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  request(url, { method, headers, agent: false })
    .on('error', reject)
    .on('response', async (response) => {
      const text = Buffer.concat(await response.toArray()).toString()
      resolve({
        status: response.statusCode ?? 0,
        headers: new Headers(response.headers as Record<string, string>),
        body: text === '' ? null : JSON.parse(text),
      })
    })
    .end()
  return promise
}

const authorization = `Bearer ${adminKey}`
const preflight = (origin: string) => ({
  origin,
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'authorization,content-type,idempotency-key',
})
const listOf = (headers: Headers, name: string) => headers.get(name)?.split(/, */) ?? []

describe('Cross-origin requests', () => {
  const gateway = sharedGateway()

  it('may be read by pages of an allowed origin, and by no other', async () => {
    const { url } = gateway()
    const allowed = await ask(`${url}/v1/sessions`, 'GET', { authorization, origin: shop })
    assert.equal(allowed.status, 200)
    assert.equal(allowed.headers.get('access-control-allow-origin'), shop)
    for (const origin of [stranger, 'null', `${shop}:8443`, `${shop}.evil.example`, '*', '']) {
      const { headers } = await ask(`${url}/v1/sessions`, 'GET', { authorization, origin })
      assert.equal(headers.get('access-control-allow-origin'), null, origin)
    }
  })

  it('never get credentials allowed, and always an answer that varies by origin', async () => {
    const { url } = gateway()
    const origins: Record<string, string>[] = [{ origin: shop }, { origin: stranger }, {}]
    for (const origin of origins) {
      for (const [method, path] of [
        ['GET', '/v1/sessions'],
        ['GET', '/v1/sessions/gs_nobody'],
        ['GET', '/nowhere'],
        ['OPTIONS', '/v1/sessions'],
      ] as const) {
        const { headers } = await ask(url + path, method, { authorization, ...origin })
        assert.equal(headers.get('access-control-allow-credentials'), null)
        assert.ok(listOf(headers, 'vary').includes('Origin'), `${method} ${path}`)
      }
    }
  })

  it('can read the headers that a program needs', async () => {
    const { url } = gateway()
    const { headers } = await ask(`${url}/v1/sessions`, 'GET', { authorization, origin: shop })
    const exposed = listOf(headers, 'access-control-expose-headers')
    for (const name of [
      'location',
      'retry-after',
      'x-request-id',
      'ratelimit',
      'ratelimit-policy',
    ]) {
      assert.ok(exposed.includes(name), name)
    }
    for (const name of ['idempotent-replayed', 'preference-applied'])
      assert.ok(exposed.includes(name))
  })

  it('have their problems readable too', async () => {
    const { url } = gateway()
    const refused = await ask(`${url}/v1/sessions`, 'GET', { origin: shop })
    assertProblem(refused, 'unauthorized')
    assert.equal(refused.headers.get('access-control-allow-origin'), shop)
  })

  it('are streams as well', async () => {
    const { api, url } = gateway()
    const { id } = await createSession(api)
    const sse = await openSse(`${url}/v1/sessions/${id}/events`, { headers: { origin: shop } })
    assert.equal(sse.response.headers['access-control-allow-origin'], shop)
    assert.equal(sse.response.headers.vary, 'Origin')
    assert.equal(sse.response.headers['access-control-allow-credentials'], undefined)
    sse.close()
  })
})

describe('A preflight', () => {
  const gateway = sharedGateway()

  it('from an allowed origin is granted without a key, wherever it asks', async () => {
    const { url } = gateway()
    for (const path of ['/v1/sessions', '/v1/sessions/gs_1/events', '/v1/messages/batch']) {
      const { status, headers } = await ask(url + path, 'OPTIONS', preflight(shop))
      assert.equal(status, 204)
      assert.equal(headers.get('access-control-allow-origin'), shop)
      const methods = listOf(headers, 'access-control-allow-methods')
      assert.deepEqual(methods.sort(), ['DELETE', 'GET', 'POST', 'PUT'])
      const names = listOf(headers, 'access-control-allow-headers')
      for (const name of ['authorization', 'content-type', 'idempotency-key', 'last-event-id']) {
        assert.ok(names.includes(name), name)
      }
      assert.ok(!names.includes('*'))
      assert.ok(Number(headers.get('access-control-max-age')) > 0)
      assert.ok(listOf(headers, 'vary').includes('Origin'))
    }
  })

  it('from any other is an OPTIONS like another', async () => {
    const { url } = gateway()
    const refused = await ask(`${url}/v1/sessions`, 'OPTIONS', preflight(stranger))
    assertProblem(refused, 'method-not-allowed')
    assert.equal(refused.headers.get('access-control-allow-origin'), null)
    assert.equal(refused.headers.get('access-control-allow-methods'), null)
  })

  it('is not every OPTIONS: one that asks for nothing is a method like another', async () => {
    const { url } = gateway()
    const origins: Record<string, string>[] = [{ origin: shop }, {}]
    for (const origin of origins) {
      const answer = await ask(`${url}/v1/sessions`, 'OPTIONS', origin)
      assertProblem(answer, 'method-not-allowed')
      assert.match(answer.headers.get('allow') ?? '', /GET.*POST|POST.*GET/)
    }
  })
})
