import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Answer, adminKey } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const mebibyte = 1024 * 1024

describe('A body', () => {
  const gateway = sharedGateway()

  async function post(
    body: string | Buffer | ReadableStream,
    contentType = 'application/json',
    path = '/v1/sessions',
  ): Promise<Answer> {
    const response = await fetch(gateway().url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminKey}`, 'content-type': contentType },
      body,
      duplex: 'half',
    } as RequestInit)
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: JSON.parse(text) }
  }
  const guest = (name: string) => JSON.stringify({ guest: { name } })

  it('is body-too-large over 1 MiB, with and without a length', async () => {
    const large = guest('x'.repeat(mebibyte))
    assertProblem(await post(large), 'body-too-large')
    const unsized = new Blob([large]).stream()
    assertProblem(await post(unsized), 'body-too-large')
  })

  it('may be 1 MiB', async () => {
    const { api } = gateway()
    const session = await createSession(api)
    const padding = ' '.repeat(mebibyte - '{"text":"Hello"}'.length)
    const answer = await post(
      `{"text":"Hello"${padding}}`,
      undefined,
      `/v1/sessions/${session.id}/messages`,
    )
    assert.equal(answer.status, 201)
  })

  it('is unsupported-media-type as anything but JSON', async () => {
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/x-ndjson',
      'application/jsonp',
      'json',
      '/',
    ]) {
      const answer = await post(guest('Ada'), type)
      assertProblem(answer, 'unsupported-media-type')
    }
  })

  it('is taken as JSON by any name JSON has', async () => {
    for (const type of [
      'application/json',
      'APPLICATION/JSON',
      'application/json; charset=utf-8',
      'application/vnd.shop+json',
      'application/json;charset="UTF-8"',
    ]) {
      assert.equal((await post(guest('Ada'), type)).status, 201, type)
    }
  })

  const notJson: Record<string, string | Buffer> = {
    'half of an object': '{"guest":{"name":"Ada"}',
    'a trailing comma': '{"guest":{"name":"Ada"},}',
    words: 'hello',
    NaN: '{"metadata":{"botScore":NaN}}',
    'UTF-8 that breaks off': Buffer.from([0x22, 0xc3, 0x22]),
    'UTF-8 of half a surrogate pair': Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    'UTF-16': Buffer.from(guest('Ada'), 'utf16le'),
    'a key that reaches the prototype': '{"guest":{"name":"Ada"},"__proto__":{"admin":true}}',
    'the same key escaped': '{"guest":{"name":"Ada","attributes":{"__pr\\u006fto__":{}}}}',
    'the prototype of a constructor':
      '{"guest":{"name":"Ada"},"constructor":{"prototype":{"admin":true}}}',
    '10,000 arrays in each other': '['.repeat(10_000) + ']'.repeat(10_000),
    '100,000 objects in each other': `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  }
  for (const [what, body] of Object.entries(notJson)) {
    it(`is invalid-request: ${what}`, async () => {
      const problem = assertProblem(await post(body), 'invalid-request')
      assert.ok(problem.errors.length > 0)
    })
  }

  it('is invalid-request when there is none and one is needed', async () => {
    const { api } = gateway()
    assertProblem(await api('POST', '/v1/sessions'), 'invalid-request')
    assertProblem(await post(''), 'invalid-request')
  })

  it('may be left empty under a JSON content type where none is needed', async () => {
    const { api } = gateway()
    const session = await createSession(api)
    const closed = await api('DELETE', `/v1/sessions/${session.id}`, undefined, {
      'content-type': 'application/json',
    })
    assert.equal(closed.status, 200)
  })

  it('names every wrong place by its pointer, unknown fields among them', async () => {
    const answer = await post(
      JSON.stringify({
        guest: { name: '', email: 'nowhere', attributes: { plan: 7, '': 'x' }, 'a/b~c': 1 },
        routing: { priority: 'high', skills: ['ok', 1] },
        metadata: { botScore: 1.5 },
        colour: 'red',
      }),
    )
    const { errors } = assertProblem(answer, 'invalid-request')
    assert.deepEqual(errors.map(({ pointer }: { pointer: string }) => pointer).sort(), [
      '/colour',
      '/guest/attributes/',
      '/guest/attributes/plan',
      '/guest/a~1b~0c',
      '/guest/email',
      '/guest/name',
      '/metadata/botScore',
      '/routing/priority',
      '/routing/skills/1',
    ])
  })

  it('comes back in a refusal only as pointers: cut, and whole Unicode', async () => {
    const long = `${'k'.repeat(99)}😀${'k'.repeat(5000)}`
    const answer = await post(JSON.stringify({ guest: { name: 'Ada' }, [long]: 1, '\ud800': 1 }))
    const { errors } = assertProblem(answer, 'invalid-request')
    for (const { pointer } of errors) {
      assert.ok(pointer.length <= 101)
      assert.ok(pointer.isWellFormed())
    }
  })

  it('with 100,000 wrong fields is refused with 50 of them', async () => {
    const fields = Array.from({ length: 60_000 }, (_, n) => `"f${n}":1`).join(',')
    const { errors } = assertProblem(await post(`{${fields}}`), 'invalid-request')
    assert.equal(errors.length, 50)
  })

  it('has text without control characters and half surrogate pairs, or is refused', async () => {
    for (const name of ['a\u0000b', 'a\u0007', 'line\nbreak', 'tab\there', '\\ud83d', 'a\u007f']) {
      const body = `{"guest":{"name":${JSON.stringify(name).replaceAll('\\\\', '\\')}}}`
      const { errors } = assertProblem(await post(body), 'invalid-request')
      assert.deepEqual(
        errors.map(({ pointer }: { pointer: string }) => pointer),
        ['/guest/name'],
      )
    }
  })
})
