import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

describe('X-Request-Id', () => {
  const gateway = sharedGateway()
  const answered = async (given?: string, path = '/v1/stats') => {
    const headers = given === undefined ? undefined : { 'x-request-id': given }
    return (await gateway().api('GET', path, undefined, headers)).headers.get('x-request-id')
  }

  it('comes back as it was given', async () => {
    for (const id of ['a', 'order-4711/2', '!"#$%&\'()*+,-./:;<=>?@[]^_`{|}~', 'x'.repeat(128)]) {
      assert.equal(await answered(id), id)
    }
  })

  it('is made, a new one each time, when none is given', async () => {
    const [first, second] = [await answered(), await answered()]
    assert.match(String(first), uuid)
    assert.match(String(second), uuid)
    assert.notEqual(first, second)
  })

  it('is made when the given one cannot be used', async () => {
    for (const id of ['', 'two words', 'x'.repeat(129), 'naïve']) {
      assert.match(String(await answered(id)), uuid, JSON.stringify(id))
    }
  })

  it('is on every kind of answer', async () => {
    for (const path of [
      '/health/live',
      '/metrics',
      '/problems/forbidden',
      '/docs',
      '/openapi.json',
      '/nowhere',
      '/v1/sessions/%',
    ]) {
      assert.equal(await answered('mine', path), 'mine', path)
    }
  })

  it('reaches the platform with the calls made for the request', async () => {
    const session = await createSession((method, path, body, headers) =>
      gateway().api(method, path, body, { ...headers, 'x-request-id': 'creating-1' }),
    )
    await send(gateway().api, session, 'Hello', { 'x-request-id': 'sending-1' })
    const ids = (operation: string) =>
      gateway()
        .simulator.control.received.list(operation)
        .map(({ headers }) => headers['x-request-id'])
    assert.deepEqual(ids('external-guests.createGuest'), ['creating-1'])
    assert.ok(ids('external-guests.sendMessage').every((id) => id === 'sending-1'))
  })
})

describe('Security headers', () => {
  const gateway = sharedGateway()

  const headersOf = async (path: string) =>
    (await gateway().api('GET', path, undefined, { authorization: '' })).headers

  it('are on refusals and pages alike, and leave TLS to who has it', async () => {
    for (const path of ['/v1/stats', '/nowhere', '/docs', '/problems/forbidden', '/health/live']) {
      const headers = await headersOf(path)
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path)
      assert.equal(headers.get('strict-transport-security'), null)
    }
  })

  it('that are about showing a page are where no key is asked for', async () => {
    for (const path of ['/nowhere', '/docs', '/problems/forbidden', '/health/live']) {
      const headers = await headersOf(path)
      assert.equal(headers.get('referrer-policy'), 'no-referrer', path)
      assert.equal(headers.get('x-frame-options'), 'SAMEORIGIN', path)
    }
    for (const path of ['/v1/stats', '/v1/sessions/gs_1/events', '/metrics']) {
      assert.equal((await headersOf(path)).get('referrer-policy'), null, path)
    }
  })
})

describe('traceparent', () => {
  const gateway = sharedGateway()
  const sentWith = async (header: Record<string, string>) => {
    const { api, simulator } = gateway()
    const session = await createSession(api)
    simulator.control.received.clear()
    assert.equal((await send(api, session, 'Hello', header)).status, 201)
    const sent = simulator.control.received.list('external-guests.sendMessage')
    return sent.map(({ headers }) => headers.traceparent)
  }

  it('goes on to the platform in the same trace, as a span of its own', async () => {
    for (const header of await sentWith({ traceparent })) {
      assert.match(String(header), /^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-01$/)
    }
  })

  it('is not passed on when it is malformed', async () => {
    const malformed = [
      'junk',
      traceparent.toUpperCase(),
      traceparent.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32)),
      traceparent.replace('00f067aa0ba902b7', '0'.repeat(16)),
      `${traceparent}-more`,
    ]
    for (const header of malformed) {
      for (const passedOn of await sentWith({ traceparent: header })) {
        assert.notEqual(passedOn, header)
        if (passedOn !== undefined) assert.match(String(passedOn), /^00-[0-9a-f]{32}-[0-9a-f]{16}-/)
      }
    }
  })
})
