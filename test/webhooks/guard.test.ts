import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { GatewayError } from '../../src/errors.ts'
import { checkPublicUrl, guardedLookup, type Resolve } from '../../src/public-addresses.ts'
import { Receivers } from '../../src/webhooks/receiver.ts'
import { startTestGateway } from '../support/gateway.ts'
import { listen } from '../support/ports.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession } from '../support/sessions.ts'
import { allowPrivate } from './support/destination.ts'
import { startReceiver } from './support/receiver.ts'

const privateHosts = [
  ['loopback', '127.0.0.1'],
  ['all of loopback', '127.255.1.2'],
  ['hexadecimal and short', '0x7f.1'],
  ['decimal', '2130706433'],
  ['octal', '0177.0.0.1'],
  ['a trailing dot', '127.0.0.1.'],
  ['full-width digits', '１２７.0.0.1'],
  ['any address', '0.0.0.0'],
  ['private, class A', '10.1.2.3'],
  ['private, class B', '172.16.0.1'],
  ['private, class C', '192.168.1.1'],
  ['link-local and metadata', '169.254.169.254'],
  ['carrier NAT', '100.64.0.1'],
  ["a cloud's own services", '168.63.129.16'],
  ['benchmarks', '198.18.0.1'],
  ['multicast', '224.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['IPv6 loopback', '[::1]'],
  ['IPv6 any', '[::]'],
  ['mapped IPv4', '[::ffff:127.0.0.1]'],
  ['mapped IPv4 in hexadecimal', '[::ffff:7f00:1]'],
  ['mapped private IPv4', '[::ffff:a9fe:a9fe]'],
  ['compatible IPv4', '[::127.0.0.1]'],
  ['translated IPv4', '[64:ff9b::7f00:1]'],
  ['6to4', '[2002:7f00:1::]'],
  ['unique local', '[fd00:ec2::254]'],
  ['IPv6 link-local', '[fe80::1]'],
  ['site-local', '[fec0::1]'],
  ['this machine by name', 'localhost'],
  ['this machine by name, with a dot', 'LOCALHOST.'],
  ['a name below this machine', 'api.localhost'],
] as const

function refusal(url: string, mayBePrivate = false): string | undefined {
  try {
    checkPublicUrl(url, mayBePrivate, '/url')
    return undefined
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    assert.equal(error.code, 'invalid-request')
    return error.message
  }
}

describe('A target of webhooks', () => {
  for (const [what, host] of privateHosts) {
    it(`E2 is refused when it is private: ${what}, ${host}`, () => {
      assert.match(refusal(`https://${host}:8443/hook`) ?? '', /not a public address|this machine/)
      assert.equal(refusal(`https://${host}:8443/hook`, true), undefined)
    })
  }

  it('is refused without TLS, with credentials, and when it is no URL of the web', () => {
    assert.match(refusal('http://hooks.example/') ?? '', /must be https/)
    assert.match(refusal('https://me:fake-password@hooks.example/') ?? '', /credentials/)
    assert.match(refusal('https://me@hooks.example/', true) ?? '', /credentials/)
    for (const url of ['ftp://hooks.example/', 'file:///etc/passwd', 'hooks', 'https://']) {
      assert.match(refusal(url, true) ?? '', /not an http/)
    }
  })

  it('may be anything public, and all of it when settings allow', () => {
    for (const host of [
      'hooks.example',
      '8.8.8.8',
      '[2606:4700::1111]',
      '134744072',
      'localhost.example',
    ]) {
      assert.equal(refusal(`https://${host}/`), undefined, host)
    }
    assert.equal(refusal('http://10.0.0.1/', true), undefined)
  })

  it('is refused by the API, naming the field', async (t) => {
    const { api } = await startTestGateway(t)
    for (const host of ['169.254.169.254', '[::ffff:10.0.0.1]', '0x7f.1', 'localhost']) {
      const answered = await api('POST', '/v1/webhooks', { url: `https://${host}/` })
      assert.equal(assertProblem(answered, 'invalid-request').errors[0].pointer, '/url')
    }
  })
})

/** Names are what the test says; a name that is asked for again gets the next answer. */
function resolving(...answers: string[][]): Resolve & { asked: number } {
  const resolve: Resolve = (_hostname, _options, callback) => {
    const addresses = answers[Math.min(counted.asked, answers.length - 1)] ?? []
    counted.asked += 1
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  const counted = Object.assign(resolve, { asked: 0 })
  return counted
}

function lookUp(resolve: Resolve): Promise<string> {
  return new Promise((found, failed) =>
    guardedLookup(false, resolve)('hooks.example', {}, (error, address) =>
      error ? failed(error) : found(String(address)),
    ),
  )
}

/** A listener that counts who comes. */
async function startListener(t: TestContext) {
  let connections = 0
  const server = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  const port = await listen(server)
  t.after(() => server.close())
  return { port, connections: () => connections }
}

async function deliver(t: TestContext, url: string, resolve?: Resolve) {
  const receivers = new Receivers(false, resolve)
  t.after(() => receivers[Symbol.asyncDispose]())
  const receipt = await receivers.deliver({
    url,
    headers: {},
    body: '{}',
    signal: new AbortController().signal,
  })
  assert.equal(receipt.kind, 'unanswered')
  return receipt.error
}

describe('The address that is dialled', () => {
  it('E2 is looked at each time, so that a name that moves gains nothing', async () => {
    const rebinding = resolving(['8.8.8.8'], ['127.0.0.1'])
    assert.equal(await lookUp(rebinding), '8.8.8.8')
    await assert.rejects(lookUp(rebinding), { name: 'ForbiddenTarget' })
  })

  it('is refused when one of several is private, and when there is none', async () => {
    await assert.rejects(lookUp(resolving(['8.8.8.8', '::1'])), { name: 'ForbiddenTarget' })
    await assert.rejects(lookUp(resolving([])), { name: 'ForbiddenTarget' })
  })

  it('E2 is not connected to when the name leads to a private one', async (t) => {
    const listener = await startListener(t)
    for (const addresses of [['127.0.0.1'], ['::ffff:127.0.0.1'], ['8.8.8.8', '127.0.0.1']]) {
      const error = await deliver(
        t,
        `https://hooks.example:${listener.port}/`,
        resolving(addresses),
      )
      assert.match(error, /hooks\.example resolves to an address that is not public/)
    }
    assert.match(await deliver(t, `https://localhost:${listener.port}/`), /not public/)
    assert.equal(listener.connections(), 0)
  })

  it('E2 is not connected to when it stands in a URL that nobody checked', async (t) => {
    const listener = await startListener(t)
    const resolve = resolving(['127.0.0.1'])
    for (const host of ['127.0.0.1', '0x7f.1', '[::ffff:127.0.0.1]']) {
      const error = await deliver(t, `https://${host}:${listener.port}/`, resolve)
      assert.match(error, /is not a public address/)
    }
    assert.match(await deliver(t, `http://hooks.example:${listener.port}/`, resolve), /not https/)
    assert.equal(listener.connections(), 0)
    assert.equal(resolve.asked, 0)
  })
})

describe('ANALYTICS_WEBHOOK_URL and CRM_WEBHOOK_URL', () => {
  it('E2 get analytics, and session events', async (t) => {
    const analytics = await startReceiver(t)
    const crm = await startReceiver(t)
    const { api } = await startTestGateway(t, {
      environment: {
        ...allowPrivate,
        ANALYTICS_WEBHOOK_URL: analytics.url,
        CRM_WEBHOOK_URL: crm.url,
      },
    })
    const session = await createSession(api)
    await api('DELETE', `/v1/sessions/${session.id}`)
    const [started] = await analytics.took(1)
    assert.equal(started?.body.event, 'session_started')
    const [created] = await crm.took(2)
    assert.equal(created?.body.type, 'session.created')
    const { items } = (await api('GET', '/v1/webhooks')).body
    assert.deepEqual(
      items.map(({ url, format, fromSettings }: Record<string, unknown>) => [
        url,
        format,
        fromSettings,
      ]),
      [
        [analytics.url, 'analytics', true],
        [crm.url, 'cloudevents', true],
      ],
    )
  })

  it('never lead to a private address unless settings allow it', async (t) => {
    const receiver = await startReceiver(t)
    const environment = { CRM_WEBHOOK_URL: `${receiver.url}/?key=fake-url-key` }
    const start = async () => {
      const { api, logs } = await startTestGateway(t, { environment })
      await createSession(api)
      const { items } = (await api('GET', '/v1/webhooks')).body
      assert.deepEqual(items, [])
      return logs.join('')
    }
    const said = await start().catch((error: Error) => error.message)
    assert.match(said, /must be https/)
    assert.doesNotMatch(said, /fake-url-key/)
    assert.deepEqual(receiver.seen, [])
  })
})
