import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { history } from '../../../../src/genesys/dialects/web-messaging/history.ts'
import type { JsonObject } from '../../../../src/json.ts'
import { answered, at, notJson, refused } from '../samples.ts'
import { agentBody, echoBody, eventBody, guest } from './samples.ts'

const said = (id: string, time: string | null): JsonObject => ({
  ...agentBody,
  id,
  channel: { time },
  content: [],
  events: [],
})
const page = (entities: JsonObject[], more: JsonObject = {}) =>
  history.response(answered(200, { entities, pageSize: 25, ...more }), at)
const ids = (entities: JsonObject[]) =>
  page(entities)?.news.map((news) => news.kind === 'message' && news.upstreamId)

describe('web-messaging: the history', () => {
  it('is asked for with a token of its own, newest page first', () => {
    assert.deepEqual(history.ask(guest), {
      action: 'getJwt',
      token: 'fake-guest-token',
      tracingId: 'gateway:jwt',
    })
    const { method, path, scopes } = history.request(2)
    assert.equal(`${method} ${path}`, 'GET /api/v2/webmessaging/messages?pageSize=25&pageNumber=2')
    assert.deepEqual(scopes, [])
    assert.deepEqual(history.limit, { requests: 10, windowMs: 60_000 })
  })

  it('tells the same as live frames do', () => {
    const news = page([agentBody, echoBody])?.news ?? []
    assert.deepEqual(
      news.map((one) => one.kind === 'message' && [one.upstreamId, one.author, one.text]),
      [
        [echoBody.id, 'user', 'Where is my order?'],
        [agentBody.id, 'agent', 'Hello, I am Ana.'],
      ],
    )
  })

  it('knows a message of ours by its metadata, where the platform keeps that', () => {
    const key = 'gateway:message:msg_1:1772616600000'
    assert.deepEqual(page([{ ...echoBody, metadata: { id: key } }])?.news, [
      { kind: 'ack', key, upstreamId: echoBody.id },
    ])
  })

  it('ends nothing: how things stand now is said elsewhere', () => {
    const disconnect = { eventType: 'Presence', presence: { type: 'Disconnect' } }
    const body = eventBody(disconnect, { metadata: { readOnly: 'true' } })
    assert.deepEqual(page([body])?.news, [])
  })

  const [first, second, third] = [
    said('a', '2026-03-04T09:30:01Z'),
    said('b', '2026-03-04T09:30:02Z'),
    said('c', '2026-03-04T09:30:03Z'),
  ]
  it('comes oldest first, whatever the order inside the page', () => {
    assert.ok(first && second && third)
    assert.deepEqual(ids([third, second, first]), ['a', 'b', 'c'])
    assert.deepEqual(ids([first, second, third]), ['a', 'b', 'c'])
    assert.deepEqual(ids([second, third, first]), ['a', 'b', 'c'])
  })

  it('keeps what has no time beside its older neighbour', () => {
    assert.ok(first && second && third)
    assert.deepEqual(ids([third, said('x', null), second, first]), ['a', 'b', 'x', 'c'])
    assert.deepEqual(ids([first, second, said('x', null), third]), ['a', 'b', 'x', 'c'])
    assert.deepEqual(ids([said('y', null), said('x', null)]), ['x', 'y'])
  })

  it('has more pages until the last, or until an empty one where they are not counted', () => {
    const one = [said('a', null)]
    assert.equal(page(one, { pageNumber: 1, pageCount: 2 })?.more, true)
    assert.equal(page(one, { pageNumber: 2, pageCount: 2 })?.more, false)
    assert.equal(page(one)?.more, true)
    assert.equal(page([])?.more, false)
    assert.deepEqual(page([], { pageSize: 0, total: 0, pageCount: 0 }), { news: [], more: false })
  })

  it('is undefined when it cannot be read', () => {
    for (const answer of [notJson, answered(200), answered(200, {}), refused(404, 'gone')]) {
      assert.equal(history.response(answer, at), undefined)
    }
  })
})
