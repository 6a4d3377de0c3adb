import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { Dice } from '../support/dice.ts'
import { assertProblem } from '../support/problems.ts'
import { openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse, type ReceivedEvent, type SseReader } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'

describe('The stream of all sessions', () => {
  const gateway = sharedGateway()
  const follow = (query = '', headers = {}) =>
    openSse(`${gateway().url}/v1/events${query}`, { headers })

  it('is for ops and admin', async () => {
    const { api, url } = gateway()
    const authorization = 'Bearer test-app-key'
    assertProblem(await api('GET', '/v1/events', undefined, { authorization }), 'forbidden')
    for (const bearer of ['test-ops-key', 'test-admin-key']) {
      const reader = await openSse(`${url}/v1/events`, { bearer })
      assert.equal(reader.status, 200)
      assert.equal(reader.response.headers['content-type'], 'text/event-stream; charset=utf-8')
      reader.close()
    }
  })

  it('has every event of every session, each session in its order', async () => {
    const { api } = gateway()
    const reader = await follow()
    const sessions = await Promise.all([openSession(api), openSession(api)])
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(sessions.map((session) => send(api, session, `round ${round}`)))
    }
    await reader.first(24)
    for (const { id } of sessions) {
      const own = reader.events.filter(({ data }) => data.subject === id)
      assert.deepEqual(
        own.map(({ data }) => data.sequence),
        upTo(12),
      )
    }
    const cursors = reader.events.map(({ id }) => Number(id))
    assert.deepEqual(
      cursors,
      [...new Set(cursors)].sort((one, other) => one - other),
    )
    // They alternate, so the order is that of all and not of one after the other.
    const subjects = reader.events.slice(4).map(({ data }) => data.subject)
    assert.notDeepEqual(subjects, subjects.toSorted())
    reader.close()
  })

  it('resumes after the id it gave, by header or parameter, and begins now without one', async () => {
    const { api } = gateway()
    const first = await follow()
    const session = await openSession(api)
    await send(api, session, 'one')
    await first.first(4)
    first.close()
    const [, second] = first.events
    await send(api, session, 'two')
    const id = second?.id ?? ''
    const resumed = [
      await follow('', { 'last-event-id': id }),
      await follow(`?after=${id}`),
      await follow('?after=0', { 'last-event-id': id }),
    ]
    const now = await follow()
    for (const reader of resumed) {
      await reader.first(4)
      assert.deepEqual(reader.sequences, [3, 4, 5, 6])
      reader.close()
    }
    assert.deepEqual(now.events, [])
    now.close()
  })

  it('gives the wanted types only', async () => {
    const { api } = gateway()
    const reader = await follow('?types=message.sent,%20session.created')
    const session = await openSession(api)
    await send(api, session, 'one')
    await reader.first(2)
    assert.deepEqual(reader.types, ['session.created', 'message.sent'])
    reader.close()
    for (const types of ['', 'nonsense', 'message.sent,nonsense', 'typing', '*']) {
      const refused = await api('GET', `/v1/events?types=${types}`)
      assert.equal(assertProblem(refused, 'invalid-request').errors[0].pointer, '?types')
    }
  })

  it('says stream.reset to an id of another journal, and gives what there is', async () => {
    const { api } = gateway()
    await openSession(api)
    const reader = await follow('', { 'last-event-id': '999999999' })
    await reader.first(3)
    const [reset, oldest] = reader.events
    assert.equal(reset?.data.type, 'stream.reset')
    assert.equal(reset?.data.subject, undefined)
    assert.deepEqual(String(reset?.data.data.oldest), oldest?.id)
    reader.close()
  })

  it('misses nothing and repeats nothing over cuts at random bytes', async (t) => {
    const { api, url } = gateway()
    const dice = new Dice('firehose')
    await using proxy = await startCuttingProxy({
      target: () => url,
      bytes: () => dice.between(0, 8000),
    })
    const sessions = await Promise.all([openSession(api), openSession(api), openSession(api)])
    const whole = await follow()
    await until('it is told where it begins', () => whole.lastId !== '')
    let lastId = whole.lastId
    let done = false
    const seen: ReceivedEvent[] = []
    let current: SseReader | undefined
    const cursor = () => current?.events.at(-1)?.id ?? lastId
    const reading = (async () => {
      while (!done) {
        const headers = { 'last-event-id': cursor() }
        current = await openSse(`${proxy.url}/v1/events`, { headers }).catch(() => undefined)
        await current?.ended
        seen.push(...(current?.events ?? []))
        lastId = cursor()
        current = undefined
      }
    })()
    while (proxy.cuts < 200) {
      await Promise.all(
        sessions.map((session) => send(api, session, 'x'.repeat(dice.between(1, 500)))),
      )
    }
    await until('it has caught up', () => cursor() === whole.events.at(-1)?.id)
    done = true
    current?.close()
    await reading
    assert.deepEqual(
      seen.map(({ data }) => data.id),
      whole.events.map(({ data }) => data.id),
    )
    t.diagnostic(`${proxy.cuts} cuts, ${seen.length} events`)
    whole.close()
  })
})
