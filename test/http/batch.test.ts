import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { adminKey } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { schemaErrors } from '../support/schema.ts'
import { createSession, openSession, transcript } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const mebibyte = 1024 * 1024
const ndjson = { 'content-type': 'application/x-ndjson' }

interface Result {
  line: number
  status: number
  message?: { id: string; sessionId: string; text: string }
  problem?: { code: string; errors: { pointer: string }[] }
}

describe('POST /v1/messages/batch', () => {
  const gateway = sharedGateway()
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)

  function parse(text: string): Result[] {
    const results = text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    for (const result of results) {
      assert.deepEqual(schemaErrors({ $ref: '#/components/schemas/BatchResult' }, result), [])
      assert.notEqual(result.message === undefined, result.problem === undefined)
    }
    return results
  }
  async function batch(lines: string, headers: Record<string, string> = {}): Promise<Result[]> {
    const { status, body } = await api('POST', '/v1/messages/batch', lines, {
      ...ndjson,
      ...headers,
    })
    assert.equal(status, 200, body)
    return parse(body)
  }
  const lines = (...values: object[]) =>
    values.map((value) => `${JSON.stringify(value)}\n`).join('')

  it('M6: sends every line, those of one session in their order', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => openSession(api)))
    const asked = Array.from({ length: 30 }, (_, n) => ({
      sessionId: sessions[n % 3]?.id,
      text: `message ${n}`,
    }))
    const results = await batch(lines(...asked))
    assert.deepEqual(
      results.map(({ line }) => line).sort((a, b) => a - b),
      asked.map((_, n) => n + 1),
    )
    for (const { line, status, message } of results) {
      assert.equal(status, 201)
      assert.equal(message?.text, `message ${line - 1}`)
    }
    for (const session of sessions) {
      const own = asked.filter(({ sessionId }) => sessionId === session.id).map(({ text }) => text)
      assert.deepEqual(
        (await transcript(api, session)).map(({ text }) => text),
        own,
      )
    }
  })

  it('streams each result as it finishes: a fast session does not wait for a slow one', async () => {
    const { url, simulator } = gateway()
    const fast = await openSession(api)
    simulator.control.freezeRouting(true)
    const slow = await createSession(api)
    const response = await fetch(`${url}/v1/messages/batch`, {
      method: 'POST',
      headers: { ...ndjson, authorization: `Bearer ${adminKey}` },
      body: lines({ sessionId: slow.id, text: 'slow' }, { sessionId: fast.id, text: 'fast' }),
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    assert.ok(reader)
    const [first] = parse((await reader.read()).value ?? '')
    assert.deepEqual([first?.line, first?.message?.text], [2, 'fast'])

    simulator.control.freezeRouting(false)
    const [second] = parse((await reader.read()).value ?? '')
    assert.deepEqual([second?.line, second?.message?.text], [1, 'slow'])
    assert.equal((await reader.read()).done, true)
  })

  it('lets a session that is not routed, however many its lines, hold up no other', async () => {
    const { url, simulator } = gateway()
    const fast = await openSession(api)
    simulator.control.freezeRouting(true)
    const slow = await createSession(api)
    const asked = [
      ...Array.from({ length: 200 }, (_, n) => ({ sessionId: slow.id, text: `slow ${n}` })),
      ...Array.from({ length: 100 }, (_, n) => ({ sessionId: fast.id, text: `fast ${n}` })),
    ]
    const response = await fetch(`${url}/v1/messages/batch`, {
      method: 'POST',
      headers: { ...ndjson, authorization: `Bearer ${adminKey}` },
      body: lines(...asked),
    })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    assert.ok(reader)
    let text = ''
    const results = async (count: number) => {
      while (text.split('\n').length <= count) text += (await reader.read()).value ?? ''
      return parse(text).map(({ message }) => message?.text)
    }
    assert.deepEqual(
      await results(100),
      asked.slice(200).map((line) => line.text),
    )
    simulator.control.freezeRouting(false)
    assert.deepEqual(
      (await results(300)).slice(100),
      asked.slice(0, 200).map((line) => line.text),
    )
    assert.equal((await reader.read()).done, true)
  })

  it('answers lines while others are still being written', async () => {
    const session = await openSession(api)
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const write = (text: string) =>
      writer.write(new TextEncoder().encode(lines({ sessionId: session.id, text })))
    const asked = fetch(`${gateway().url}/v1/messages/batch`, {
      method: 'POST',
      headers: { ...ndjson, authorization: `Bearer ${adminKey}` },
      body: readable,
      duplex: 'half',
    } as RequestInit)
    await write('one')
    const reader = (await asked).body?.pipeThrough(new TextDecoderStream()).getReader()
    assert.equal(parse((await reader?.read())?.value ?? '')[0]?.message?.text, 'one')
    await write('two')
    assert.equal(parse((await reader?.read())?.value ?? '')[0]?.message?.text, 'two')
    await writer.close()
    assert.equal((await reader?.read())?.done, true)
  })

  it('answers each line alone with its problem, and sends the others', async () => {
    const session = await openSession(api)
    const good = JSON.stringify({ sessionId: session.id, text: 'good' })
    const text = [
      'not json',
      '{"sessionId":"gs_unknown","text":"Hello"}',
      `{"sessionId":"${session.id}"}`,
      `{"sessionId":"${session.id}","text":"Hello","colour":"red"}`,
      '',
      '   \r',
      '[]',
      'null',
      `{"sessionId":"${session.id}","text":"Hello","__proto__":{"author":"agent"}}`,
      `{"sessionId":"${session.id}","text":"${'x'.repeat(5000)}"}`,
      `{"text":"Hello"}`,
      good,
    ].join('\n')
    const results = (await batch(text)).sort((a, b) => a.line - b.line)
    assert.deepEqual(
      results.map(({ line, status, problem }) => [line, status, problem?.code]),
      [
        [1, 400, 'invalid-request'],
        [2, 404, 'session-not-found'],
        [3, 400, 'invalid-request'],
        [4, 400, 'invalid-request'],
        [7, 400, 'invalid-request'],
        [8, 400, 'invalid-request'],
        [9, 400, 'invalid-request'],
        [10, 413, 'message-too-large'],
        [11, 400, 'invalid-request'],
        [12, 201, undefined],
      ],
    )
    assert.equal(results[3]?.problem?.errors[0]?.pointer, '/colour')
  })

  it('is invalid-request in a line that is not UTF-8', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"sessionId":"gs_1","text":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n'),
    ])
    const response = await fetch(`${gateway().url}/v1/messages/batch`, {
      method: 'POST',
      headers: { ...ndjson, authorization: `Bearer ${adminKey}` },
      body: bytes,
    })
    assert.equal(parse(await response.text())[0]?.problem?.code, 'invalid-request')
  })

  it('answers nothing to nothing', async () => {
    assert.deepEqual(await batch(''), [])
    assert.deepEqual(await batch('\n\n'), [])
  })

  it('takes Prefer for every line', async () => {
    gateway().simulator.control.freezeRouting(true)
    const session = await createSession(api)
    const asked = lines(
      { sessionId: session.id, text: 'one' },
      { sessionId: session.id, text: 'two' },
    )
    const results = await batch(asked, { prefer: 'respond-async' })
    gateway().simulator.control.freezeRouting(false)
    assert.deepEqual(
      results.map(({ status }) => status),
      [202, 202],
    )
    await until('both are sent', async () =>
      (await transcript(api, session)).every(({ status }) => status === 'sent'),
    )
  })

  it('is body-too-large when its length says more than 1 MiB, and nothing is sent', async () => {
    const session = await openSession(api)
    const line = JSON.stringify({ sessionId: session.id, text: 'Hello' })
    const answer = await api(
      'POST',
      '/v1/messages/batch',
      `${line}\n${' '.repeat(mebibyte)}`,
      ndjson,
    )
    assertProblem(answer, 'body-too-large')
    assert.deepEqual(await transcript(api, session), [])
  })

  it('is body-too-large from the line on where an unsized body passes 1 MiB', async () => {
    const session = await openSession(api)
    const line = JSON.stringify({ sessionId: session.id, text: 'Hello' })
    const body = new Blob([`${line}\n`, ' '.repeat(mebibyte), `\n${line}\n`]).stream()
    const response = await fetch(`${gateway().url}/v1/messages/batch`, {
      method: 'POST',
      headers: { ...ndjson, authorization: `Bearer ${adminKey}` },
      body,
      duplex: 'half',
    } as RequestInit)
    const results = parse(await response.text()).sort((a, b) => a.line - b.line)
    assert.deepEqual(
      results.map(({ line, status }) => [line, status]),
      [
        [1, 201],
        [2, 413],
      ],
    )
  })

  it('is unsupported-media-type as JSON, and without a type', async () => {
    assertProblem(await api('POST', '/v1/messages/batch', {}), 'unsupported-media-type')
    assertProblem(await api('POST', '/v1/messages/batch'), 'unsupported-media-type')
    assertProblem(
      await api('POST', '/v1/messages/batch', 'x', { 'content-type': 'text/plain' }),
      'unsupported-media-type',
    )
  })
})
