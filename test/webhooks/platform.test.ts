import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { platformIs, startAgainst, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startReceiver } from './support/receiver.ts'

const route = '/v1/upstream/webhooks'
const upstream = '/api/v2/webhooks'
/** So that several can be named. */
const noClient = { GENESYS_CLIENT_ID: '', GENESYS_CLIENT_SECRET: '' }
const asked = { name: 'GuestSessionCRMSync', url: 'https://crm.example/api/guest-sync' }
const events = ['webmessaging.guestsession.created', 'webmessaging.guestsession.updated']

function registrations({ simulator }: TestGateway) {
  return simulator.control.received.list('webhooks.createWebhook')
}

describe('POST /v1/upstream/webhooks', () => {
  it('E1 registers exactly what document 001 does', async (t) => {
    const gateway = await startTestGateway(t)
    const answered = await gateway.api('POST', route, asked)
    assert.equal(answered.status, 201, JSON.stringify(answered.body))
    const { id, ...rest } = answered.body
    assert.equal(typeof id, 'string')
    assert.deepEqual(rest, { ...asked, events })
    const [request] = registrations(gateway)
    assert.deepEqual(request?.body, {
      name: 'GuestSessionCRMSync',
      uri: 'https://crm.example/api/guest-sync',
      method: 'POST',
      enabled: true,
      eventFilters: [{ predicate: { type: 'event', values: events } }],
      headers: { 'X-Source': 'GenesysWebMessaging', 'Content-Type': 'application/json' },
    })
  })

  it('E1 makes the platform call the receiver', async (t) => {
    const { api } = await startTestGateway(t)
    const receiver = await startReceiver(t)
    await api('POST', route, {
      ...asked,
      url: receiver.url,
      headers: { 'x-source': 'mine', 'X-Tenant': 'shop' },
    })
    const session = await createSession(api, {
      dialect: 'guest-sessions',
      consent: { marketing: true, personalization: true, analytics: true },
    })
    const [told] = await receiver.took(1)
    assert.equal(told?.body.type, 'webmessaging.guestsession.created')
    assert.equal(told?.headers['x-source'], 'mine')
    assert.equal(told?.headers['x-tenant'], 'shop')
    assert.ok(told?.text.includes(session.guestId))
  })

  it('is the same webhook when it is asked for again by name and URL', async (t) => {
    const gateway = await startTestGateway(t)
    const first = await gateway.api('POST', route, asked)
    const again = await gateway.api('POST', route, asked)
    assert.equal(again.status, 200)
    assert.equal(again.body.id, first.body.id)
    assert.equal(registrations(gateway).length, 1)
    for (const other of [{ name: 'Another' }, { url: 'https://crm.example/other' }]) {
      const { status, body } = await gateway.api('POST', route, { ...asked, ...other })
      assert.equal(status, 201)
      assert.notEqual(body.id, first.body.id)
    }
  })

  it('is one webhook when it is asked for twice at the same time', async (t) => {
    const gateway = await startTestGateway(t)
    const both = await Promise.all([
      gateway.api('POST', route, asked),
      gateway.api('POST', route, asked),
    ])
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 201])
    assert.equal(both[0]?.body.id, both[1]?.body.id)
    assert.equal(registrations(gateway).length, 1)
  })

  for (const status of [404, 405]) {
    it(`registers where the platform does not list its webhooks (${status})`, async (t) => {
      const gateway = await startTestGateway(t)
      gateway.simulator.control.faults.add({
        kind: 'status',
        status,
        operation: 'webhooks.listWebhooks',
      })
      assert.equal((await gateway.api('POST', route, asked)).status, 201)
      assert.equal(registrations(gateway).length, 1)
    })
  }

  it('is one webhook also where the platform does not list them, over restarts', async (t) => {
    const { simulator } = await startTestGateway(t)
    const operation = 'webhooks.listWebhooks'
    simulator.control.faults.add({ kind: 'status', status: 404, operation })
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const register = async (more: object = {}, environment: Record<string, string> = {}) => {
      const { gateway, api } = await startAgainst({
        ...platformIs(simulator),
        STORE: `sqlite:${file}`,
        ...environment,
      })
      await using _ = gateway
      const answer = await api('POST', route, { ...asked, ...more })
      return answer
    }
    const first = await register()
    const again = await register({ events: ['another'] })
    assert.deepEqual([first.status, again.status], [201, 200])
    assert.deepEqual(again.body, first.body)
    // Another is not it, and neither is the same in another organisation.
    const [client] = simulator.clients
    const other = { GENESYS_CLIENTS: JSON.stringify([client, { id: 'more', secret: 'x' }]) }
    assert.equal((await register({ name: 'Another' })).status, 201)
    assert.equal((await register({}, { ...other, ...noClient })).status, 201)
    const kept = readFileSync(file, 'latin1')
    assert.ok(!kept.includes('crm.example'), 'a URL may hold what the receiver knows it by')
  })

  for (const [how, more] of [
    ['which names the next', { nextUri: '/api/v2/webhooks?cursor=2' }],
    ['which are counted', { pageSize: 1, pageNumber: 1, pageCount: 2 }],
  ] as const) {
    it(`finds it on a later page of the list, ${how}`, async (t) => {
      const { api, simulator } = await startTestGateway(t)
      const operation = 'webhooks.listWebhooks'
      const page = (skip: number, body: object) => {
        const rule = { kind: 'status', status: 200, operation, count: 1, skip, body } as const
        simulator.control.faults.add(rule)
      }
      page(0, { entities: [{ id: 'one', name: 'x', uri: 'https://x.example/' }], ...more })
      page(1, { entities: [{ id: 'two', name: asked.name, uri: asked.url }] })
      const { status, body } = await api('POST', route, asked)
      assert.deepEqual([status, body.id], [200, 'two'])
      const [, second] = simulator.control.received.list(operation)
      const next = 'nextUri' in more ? more.nextUri : `${upstream}?pageNumber=2&pageSize=1`
      assert.equal(second?.path, next)
    })
  }

  it('asks for no page elsewhere, and for none twice', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const operation = 'webhooks.listWebhooks'
    const entities: object[] = []
    for (const nextUri of ['https://elsewhere.example/', '/api/v2/users', `${upstream}?page=1`]) {
      const body = { entities, nextUri }
      simulator.control.faults.add({ kind: 'status', status: 200, operation, count: 2, body })
      assert.equal((await api('POST', route, { ...asked, name: nextUri })).status, 201)
      simulator.control.faults.remove()
    }
    const paths = simulator.control.received.list(operation).map((request) => request.path)
    assert.deepEqual(paths, [upstream, upstream, upstream, `${upstream}?page=1`])
  })

  it('says which events the platform has it for, whatever was asked for now', async (t) => {
    const { api } = await startTestGateway(t)
    await api('POST', route, asked)
    const { body } = await api('POST', route, { ...asked, events: ['another'] })
    assert.deepEqual(body.events, events)
  })

  it('reads a list that is a bare array, and strangers in it', async (t) => {
    const { api, simulator } = await startTestGateway(t)
    simulator.control.faults.add({
      kind: 'status',
      status: 200,
      operation: 'webhooks.listWebhooks',
      body: [null, { id: 1 }, { id: 7, name: asked.name, uri: asked.url }],
    })
    const { status, body } = await api('POST', route, asked)
    assert.equal(status, 200)
    assert.equal(body.id, '7')
  })

  it("is the platform's no where it refuses, with what it said", async (t) => {
    const { api, simulator } = await startTestGateway(t)
    const operation = 'webhooks.createWebhook'
    const refuse = (status: number) =>
      simulator.control.faults.add({ kind: 'status', status, operation, count: 1 })
    refuse(400)
    const problem = assertProblem(await api('POST', route, asked), 'upstream-rejected')
    assert.equal(problem.upstream.status, 400)
    assert.equal(problem.retryable, false)
    refuse(403)
    assert.match(
      assertProblem(await api('POST', route, asked), 'upstream-forbidden').detail,
      /webhooks:readwrite/,
    )
    simulator.control.faults.add({ kind: 'malformed', operation, count: 1 })
    assertProblem(
      await api('POST', route, { ...asked, name: 'Unread' }),
      'upstream-invalid-response',
    )
    // What was registered without our hearing of it is found the next time.
    assert.equal((await api('POST', route, { ...asked, name: 'Unread' })).status, 200)
  })

  it('A4 names the scope a client lacks', async (t) => {
    const { api } = await startTestGateway(t, {
      simulator: {
        clients: [
          { id: 'client-few', secret: 'fake-secret-few', scopes: ['webmessaging:guest:write'] },
        ],
      },
    })
    assert.match(
      assertProblem(await api('POST', route, asked), 'upstream-forbidden').detail,
      /webhooks:readwrite/,
    )
  })

  it('refuses what makes no sense before anything is sent', async (t) => {
    const gateway = await startTestGateway(t)
    const wrong: [string, object][] = [
      ['/name', { ...asked, name: '' }],
      ['/url', { ...asked, url: 'ftp://crm.example/' }],
      ['/events', { ...asked, events: [] }],
      ['/headers/x-two', { ...asked, headers: { 'x-two': 'a\r\nb: c' } }],
      ['/uri', { ...asked, uri: asked.url }],
    ]
    for (const [pointer, body] of wrong) {
      const { errors } = assertProblem(await gateway.api('POST', route, body), 'invalid-request')
      assert.equal(errors[0].pointer, pointer)
    }
    assert.deepEqual(registrations(gateway), [])
  })

  it('is for admins', async (t) => {
    const { api } = await startTestGateway(t)
    for (const key of ['test-app-key', 'test-ops-key']) {
      assertProblem(
        await api('POST', route, asked, { authorization: `Bearer ${key}` }),
        'forbidden',
      )
    }
  })
})
