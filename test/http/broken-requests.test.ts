import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { adminKey } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import {
  openSocket,
  parseAnswers,
  type RawAnswer,
  rawAnswer,
  rawAnswers,
} from '../support/raw-http.ts'
import { createSession } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const head = `Host: gateway\r\nAuthorization: Bearer ${adminKey}\r\n`
const json = `${head}Content-Type: application/json\r\n`
const get = (path: string) => `GET ${path} HTTP/1.1\r\n${head}\r\n`

function assertInvalid({ status, headers, text }: RawAnswer, as: number) {
  const answer = { status, headers: new Headers(headers), body: JSON.parse(text) }
  return assertProblem(answer, 'invalid-request', { as })
}

describe('What is not HTTP', () => {
  const gateway = sharedGateway()

  const garbage: Record<string, string> = {
    'no request at all': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n',
    'a method nobody knows': 'BREW /v1/stats HTTP/1.1\r\nHost: a\r\n\r\n',
    'a header without a colon': `GET /v1/stats HTTP/1.1\r\n${head}nonsense\r\n\r\n`,
    'a header with a control character': `GET /v1/stats HTTP/1.1\r\n${head}X-Odd: a\x00b\r\n\r\n`,
    'a line folded': `GET /v1/stats HTTP/1.1\r\n${head}X-Odd: a\r\n b\x01\r\n\r\n`,
    'two lengths': `POST /v1/sessions HTTP/1.1\r\n${json}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`,
    'a length that is no number': `POST /v1/sessions HTTP/1.1\r\n${json}Content-Length: two\r\n\r\n{}`,
    'a length beside chunks': `POST /v1/sessions HTTP/1.1\r\n${json}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    'a chunk without a size': `POST /v1/sessions HTTP/1.1\r\n${json}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
    'a body shorter than its length': `POST /v1/sessions HTTP/1.1\r\n${json}Content-Length: 200\r\n\r\n{}`,
  }
  for (const [what, bytes] of Object.entries(garbage)) {
    it(`is invalid-request: ${what}`, async () => {
      assertInvalid(await rawAnswer(gateway().url, Buffer.from(bytes, 'latin1')), 400)
    })
  }

  it('is invalid-request, 400, without Host', async () => {
    const bytes = 'GET /v1/stats HTTP/1.1\r\nConnection: close\r\n\r\n'
    const problem = assertInvalid(await rawAnswer(gateway().url, bytes), 400)
    assert.equal(problem.errors[0].pointer, 'header:host')
  })

  it('is no problem without Host in HTTP/1.0, which has none', async () => {
    const { status } = await rawAnswer(gateway().url, 'GET /health/live HTTP/1.0\r\n\r\n')
    assert.equal(status, 200)
  })

  it('is invalid-request, 431, when there are too many headers, in count or in bytes', async () => {
    const many = Array.from({ length: 3000 }, (_, n) => `X-${n}: ${n}\r\n`).join('')
    for (const flood of [
      many,
      `X-Long: ${'x'.repeat(20_000)}\r\n`,
      `Cookie: ${'a=b; '.repeat(4000)}\r\n`,
    ]) {
      const bytes = `GET /v1/stats HTTP/1.1\r\n${head}${flood}\r\n`
      assertInvalid(await rawAnswer(gateway().url, bytes), 431)
    }
    const path = `GET /v1/sessions/${'x'.repeat(20_000)} HTTP/1.1\r\n${head}\r\n`
    assertInvalid(await rawAnswer(gateway().url, path), 431)
  })

  it('leaves the gateway as it was', async () => {
    const answer = await gateway().api('GET', '/v1/stats')
    assert.equal(answer.body.sessions.total, 0)
  })

  it('ignores an expectation it does not know', async () => {
    const bytes = `GET /v1/stats HTTP/1.1\r\n${head}Expect: miracles\r\nConnection: close\r\n\r\n`
    assert.equal((await rawAnswer(gateway().url, bytes)).status, 200)
  })
})

describe('Garbage sent behind requests on the same connection', () => {
  const gateway = sharedGateway()

  it('is invalid-request after the answers to those, in their order', async () => {
    const bytes = `${get('/v1/stats')}${get('/v1/nothing')}${get('/health/live')}garbage\r\n\r\n`
    const answers = await rawAnswers(gateway().url, bytes, { end: false })
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 404, 200, 400],
    )
    assertInvalid(answers[3] as RawAnswer, 400)
  })

  it('does not take the place of an answer that is still awaited', async () => {
    const { url, simulator, api } = gateway()
    const session = await createSession(api)
    simulator.control.freezeRouting(true)
    simulator.control.faults.add({
      kind: 'latency',
      latencyMs: 300,
      operation: 'external-guests.sendMessage',
    })
    const body = '{"text":"Hello"}'
    const post = `POST /v1/sessions/${session.id}/messages HTTP/1.1\r\n${json}Content-Length: ${body.length}\r\n\r\n${body}`
    const socket = await openSocket(url)
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    const closed = once(socket, 'close')
    socket.write(`${post}garbage\r\n\r\n`)
    await until(
      'the message is on its way',
      () => simulator.control.received.list('external-guests.sendMessage').length,
    )
    assert.equal(chunks.length, 0)
    simulator.control.freezeRouting(false)
    await closed
    const [message, refusal] = parseAnswers(Buffer.concat(chunks))
    assert.equal(message?.status, 201)
    assert.equal(JSON.parse(message?.text ?? '').status, 'sent')
    assertInvalid(refusal as RawAnswer, 400)
  })

  it('ends a connection whose answer has begun, without a word in the middle of it', async () => {
    const { url, api } = gateway()
    const session = await createSession(api)
    const line = `${JSON.stringify({ sessionId: session.id, text: 'Hello' })}\n`
    const chunk = `${line.length.toString(16)}\r\n${line}\r\n`
    const socket = await openSocket(url)
    const chunks: Buffer[] = []
    socket.on('data', (data: Buffer) => chunks.push(data))
    socket.on('error', () => undefined)
    const closed = once(socket, 'close')
    socket.write(
      `POST /v1/messages/batch HTTP/1.1\r\n${head}Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
    )
    await until('the first result', () => Buffer.concat(chunks).includes('"line":1'))
    socket.write('this is no chunk\r\n')
    await closed
    const said = Buffer.concat(chunks).toString()
    assert.equal(said.match(/HTTP\/1\.1/g)?.length, 1)
    assert.doesNotMatch(said, /invalid-request/)
  })
})
