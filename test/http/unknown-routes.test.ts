import assert from 'node:assert/strict'
import { METHODS } from 'node:http'
import { describe, it } from 'node:test'
import { operations } from '../support/openapi.ts'
import { assertProblem } from '../support/problems.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

describe('What no route takes', () => {
  const gateway = sharedGateway()

  it('is route-not-found for a path that is not there, with and without a key', async () => {
    for (const headers of [{}, { authorization: '' }]) {
      for (const path of ['/', '/v1', '/v2/sessions', '/v1/sessions/a/b', '/docs/nothing']) {
        const answer = await gateway().api('GET', path, undefined, headers)
        assert.equal(assertProblem(answer, 'route-not-found').instance, path)
      }
    }
  })

  it('is route-not-found before the body is read, whatever the body', async () => {
    const answer = await gateway().api('POST', '/nowhere', '{"half', {
      'content-type': 'text/plain',
    })
    assertProblem(answer, 'route-not-found')
  })

  it('is not found for an id no id can be', async () => {
    const tooLong = await gateway().api('GET', `/v1/sessions/${'x'.repeat(12_000)}`)
    assertProblem(tooLong, 'session-not-found')
    const empty = await gateway().api('GET', '/v1/sessions/')
    assert.equal(assertProblem(empty, 'invalid-request').errors[0].pointer, 'path:sessionId')
  })

  it('is not a path that is told by a whole URL', async () => {
    const head = 'HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n'
    const target = 'http://gateway.example:8080/health/live?a=b'
    const found = await rawAnswer(gateway().url, `GET ${target} ${head}`)
    assert.equal(found.status, 200)
  })

  it('is invalid-request for a path that cannot be decoded', async () => {
    for (const path of ['/v1/sessions/%', '/v1/sessions/%ED%A0%80', '/v1/sessions/%zz/messages']) {
      const answer = await gateway().api('GET', path)
      assert.equal(assertProblem(answer, 'invalid-request').instance, path)
    }
  })

  const byPath = Map.groupBy(operations, ({ path }) => path)
  for (const [path, its] of byPath) {
    const own = its.map(({ method }) => method)
    const allowed = new Set(
      own.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
    )
    const url = path.replace(/\{\w+\}/g, 'anything')

    it(`is method-not-allowed with Allow for every other method of ${path}`, async () => {
      // CONNECT asks for a tunnel and never becomes a request.
      for (const method of METHODS.filter((each) => !allowed.has(each) && each !== 'CONNECT')) {
        const head = method === 'HEAD'
        const answer = await rawAnswer(
          gateway().url,
          `${method} ${url} HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n\r\n`,
          { head },
        )
        assert.equal(answer.status, 405, `${method}: ${answer.text}`)
        assert.deepEqual(new Set(answer.headers.allow?.split(', ')), allowed)
        if (head) continue
        const headers = new Headers(answer.headers)
        assertProblem({ status: 405, headers, body: JSON.parse(answer.text) }, 'method-not-allowed')
      }
    })
  }
})
