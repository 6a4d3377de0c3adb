import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { systemClock } from '../../src/clock.ts'
import type { HttpRequest, Outcome } from '../../src/genesys/outcome.ts'
import { Transport, type TransportOptions } from '../../src/genesys/transport.ts'
import { listen } from '../support/ports.ts'
import {
  after,
  answers,
  answersAndHangsUp,
  type Behaviour,
  breaksOff,
  hangs,
  resetsAfterReading,
  resetsAtOnce,
  startToxicUpstream,
  talksNonsense,
} from '../support/toxic-upstream.ts'

async function build(t: TestContext, options: Partial<TransportOptions> = {}) {
  const upstream = await startToxicUpstream(answers(200, { ok: true }))
  const transport = new Transport(upstream.url, { clock: systemClock, ...options })
  t.after(async () => {
    await transport.close(0)
    await upstream[Symbol.asyncDispose]()
  })
  return { upstream, transport }
}

function post(fields: Partial<HttpRequest> = {}): HttpRequest {
  return {
    method: 'POST',
    path: '/x',
    headers: ['content-type', 'application/json'],
    body: '{}',
    timeoutMs: 5_000,
    leaveBy: Date.now() + 5_000,
    ...fields,
  }
}

function faultOf(outcome: Outcome): [string, string] {
  assert.equal(outcome.kind, 'fault')
  return [outcome.fault, outcome.fate]
}

const mebibyte = 'x'.repeat(1024 * 1024)

describe('Transport', () => {
  it('sends method, path, headers and body, and reads status, headers and JSON', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.queue(answers(201, { id: 'a' }, { 'x-thing': 'b' }))
    const outcome = await transport.send(
      post({ path: '/p?q=1', headers: ['x-request-id', 'r-1'], body: '{"a":"ü"}' }),
    )
    assert.equal(outcome.kind, 'answer')
    assert.equal(outcome.status, 201)
    assert.deepEqual(outcome.body, { id: 'a' })
    assert.equal(outcome.headers['x-thing'], 'b')
    assert.ok(outcome.latencyMs > 0)
    const [seen] = upstream.seen
    assert.equal(seen?.method, 'POST')
    assert.equal(seen?.path, '/p?q=1')
    assert.equal(seen?.headers['x-request-id'], 'r-1')
    assert.equal(seen?.body, '{"a":"ü"}')
  })

  const bodies: [string, Behaviour, unknown, boolean][] = [
    ['an empty body', answers(204), undefined, false],
    ['a body that is not JSON', answers(200, '<html>'), undefined, true],
    ['a body that is cut short', answers(200, '{"a":'), undefined, true],
    ['JSON behind a byte order mark', answers(200, '\ufeff{"a":1}'), { a: 1 }, false],
    ['a body that is not UTF-8', notUtf8, undefined, true],
    ['a body that is packed unasked', packed(gzipSync('{"a":1}')), { a: 1 }, false],
    ['a body that says it is packed', packed(Buffer.from('{"a":1}')), undefined, true],
    ['a body that unpacks to over a MiB', packed(gzipSync(`"${mebibyte}"`)), undefined, true],
  ]
  for (const [name, behaviour, body, malformed] of bodies) {
    it(`reads ${name}`, async (t) => {
      const { upstream, transport } = await build(t)
      upstream.queue(behaviour)
      const outcome = await transport.send(post())
      assert.equal(outcome.kind, 'answer')
      assert.deepEqual(outcome.body, body)
      assert.equal(outcome.malformed, malformed)
    })
  }

  it('does not follow redirects', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.queue(answers(307, {}, { location: '/elsewhere' }))
    const outcome = await transport.send(post())
    assert.equal(outcome.kind === 'answer' && outcome.status, 307)
    assert.equal(upstream.seen.length, 1)
  })

  it('knows that nothing left when it cannot connect', async (t) => {
    const { upstream, transport } = await build(t)
    await upstream[Symbol.asyncDispose]()
    assert.deepEqual(faultOf(await transport.send(post())), ['connect', 'refused'])
  })

  const lost: [string, Behaviour, string][] = [
    ['a reset before the body is read', resetsAtOnce, 'reset'],
    ['a reset after it is read', resetsAfterReading, 'reset'],
    ['a success that breaks off', breaksOff(200), 'reset'],
    ['no answer in time', hangs, 'timeout'],
    ['something that is not HTTP', talksNonsense, 'protocol'],
    ['an answer over a MiB', answers(200, `"${mebibyte}"`), 'too-large'],
  ]
  for (const [name, behaviour, fault] of lost) {
    it(`does not know the fate of a request that met ${name}`, async (t) => {
      const { upstream, transport } = await build(t)
      upstream.queue(behaviour)
      assert.deepEqual(faultOf(await transport.send(post({ timeoutMs: 200 }))), [fault, 'unknown'])
    })
  }

  it('goes by the status alone when a refusal breaks off', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.queue(breaksOff(503))
    const outcome = await transport.send(post())
    assert.equal(outcome.kind === 'answer' && outcome.status, 503)
    assert.equal(outcome.kind === 'answer' && outcome.malformed, true)
  })

  it('bounds an answer that drips', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.queue((request, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write(' '), 20)
      request.socket.once('close', () => clearInterval(drip))
    })
    const outcome = await transport.send(post({ timeoutMs: 200 }))
    assert.deepEqual(faultOf(outcome), ['timeout', 'unknown'])
    assert.ok(outcome.latencyMs >= 200, `${outcome.latencyMs} ms`)
  })

  it('does not hold a stall of its own against the host', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.queue((request, response, seen) => {
      answers(200, {})(request, response, seen)
      const until = performance.now() + 500
      while (performance.now() < until);
    })
    const outcome = await transport.send(post({ timeoutMs: 200 }))
    assert.equal(outcome.kind, 'answer')
  })

  it('gives up waiting for a connection at the deadline, and then never sends', async (t) => {
    const { upstream, transport } = await build(t, { connections: 1 })
    const held = Promise.withResolvers<void>()
    upstream.queue(after(held.promise, answers(200, {})))
    const first = transport.send(post())
    await upstream.arrived(1)
    const second = transport.send(post({ path: '/second', leaveBy: Date.now() + 50 }))
    assert.deepEqual(faultOf(await second), ['crowded', 'refused'])
    held.resolve()
    assert.equal((await first).kind, 'answer')
    assert.equal((await transport.send(post({ path: '/third' }))).kind, 'answer')
    assert.deepEqual(
      upstream.seen.map(({ path }) => path),
      ['/x', '/third'],
    )
    assert.equal(upstream.sockets.size, 1, 'the connection is still the first one')
  })

  it('loses no request to a server that closes idle connections unannounced', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.usually(answersAndHangsUp(200, { ok: true }))
    const faults: string[] = []
    for (let n = 0; n < 300; n++) {
      const outcome = await transport.send(post())
      if (outcome.kind === 'fault') faults.push(outcome.fault)
    }
    // A FIN on its way when a request is written cannot be seen from here; loopback makes that rare.
    assert.ok(faults.length <= 3, `${faults.length} of 300 lost: ${faults.join(', ')}`)
  })

  it('will not write a request that is not one', async (t) => {
    const { transport, upstream } = await build(t)
    const outcome = await transport.send(post({ headers: ['traceparent', 'a\r\nb: c'] }))
    assert.deepEqual(faultOf(outcome), ['invalid', 'refused'])
    assert.equal(upstream.seen.length, 0)
  })

  it('lets what is under way end when it is closed, and refuses what comes after', async (t) => {
    const { upstream, transport } = await build(t)
    const held = Promise.withResolvers<void>()
    upstream.queue(after(held.promise, answers(200, {})))
    const sending = transport.send(post())
    await upstream.arrived(1)
    const closing = transport.close(5_000)
    held.resolve()
    assert.equal((await sending).kind, 'answer')
    await closing
    assert.deepEqual(faultOf(await transport.send(post())), ['closed', 'refused'])
  })

  it('breaks off what does not end in time when it is closed', async (t) => {
    const { upstream, transport } = await build(t)
    upstream.queue(hangs)
    const sending = transport.send(post())
    await upstream.arrived(1)
    await transport.close(10)
    assert.deepEqual(faultOf(await sending), ['closed', 'unknown'])
  })

  it('knows that nothing left when TLS meets a plain server', async (t) => {
    const server: Server = createServer((socket) => socket.end('no TLS here'))
    const port = await listen(server)
    const transport = new Transport(`https://127.0.0.1:${port}`, { clock: systemClock })
    t.after(async () => {
      await transport.close(0)
      server.close()
    })
    assert.deepEqual(faultOf(await transport.send(post())), ['connect', 'refused'])
  })
})

async function notUtf8(...[request, response]: Parameters<Behaviour>): Promise<void> {
  request.resume()
  response.writeHead(200)
  response.end(Buffer.from([0x22, 0xff, 0x22]))
}

function packed(bytes: Buffer): Behaviour {
  return (request, response) => {
    request.resume()
    response.writeHead(200, { 'content-encoding': 'gzip' })
    response.end(bytes)
  }
}
