import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { assertProblem } from '../support/problems.ts'
import { createSession, openSession, respondAsync, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

describe('GET /v1/sessions', () => {
  const clock = new FakeClock(Date.UTC(2026, 0, 1))
  const gateway = sharedGateway({ overrides: { clock } })
  const ids: string[] = []

  async function list(query: string) {
    const { status, body } = await gateway().api('GET', `/v1/sessions${query}`)
    assert.equal(status, 200, JSON.stringify(body))
    return body as { items: { id: string }[]; nextCursor: string | null }
  }
  /** Numbers of the sessions listed, as they were created. */
  const numbers = async (query: string) =>
    (await list(query)).items.map(({ id }) => ids.indexOf(id))

  before(async () => {
    const { api, simulator } = gateway()
    simulator.control.freezeRouting(true)
    for (let n = 0; n < 7; n += 1) {
      const metadata = { externalSessionId: n < 2 ? 'twins' : `alone-${n}` }
      ids.push((await createSession(api, { metadata })).id)
      clock.advance(1000)
    }
    await api('DELETE', `/v1/sessions/${ids[3]}`)
  })

  it('lists newest first', async () => {
    assert.deepEqual(await numbers(''), [6, 5, 4, 3, 2, 1, 0])
  })

  it('gives each once over its pages, and null as the last cursor', async () => {
    const seen: number[] = []
    let pages = 0
    for (let query = '?limit=3'; query !== ''; pages += 1) {
      const { items, nextCursor } = await list(query)
      seen.push(...items.map(({ id }) => ids.indexOf(id)))
      query = nextCursor === null ? '' : `?limit=3&cursor=${encodeURIComponent(nextCursor)}`
    }
    assert.deepEqual(seen, [6, 5, 4, 3, 2, 1, 0])
    assert.equal(pages, 3)
  })

  it('goes on where it was when a session is added between two pages', async () => {
    const { nextCursor } = await list('?limit=2&externalId=twins')
    const first = await list('?limit=5')
    const added = await createSession(gateway().api)
    assert.deepEqual(await numbers(`?limit=5&cursor=${first.nextCursor}`), [1, 0])
    assert.equal(nextCursor, null)
    ids.push(added.id)
  })

  it('filters, by everything given together', async () => {
    const { body: one } = await gateway().api('GET', `/v1/sessions/${ids[2]}`)
    assert.deepEqual(await numbers(`?guestId=${one.guestId}`), [2])
    assert.deepEqual(await numbers(`?conversationId=${one.conversationId}`), [2])
    assert.deepEqual(await numbers('?externalId=twins'), [1, 0])
    assert.deepEqual(await numbers('?state=closed'), [3])
    assert.deepEqual(await numbers('?state=pending&externalId=twins&limit=1'), [1])
    assert.deepEqual(await numbers('?dialect=conversations'), [])
    assert.deepEqual(await numbers('?state=closed&externalId=twins'), [])
  })

  it('takes createdAfter inclusive and createdBefore exclusive, with any zone', async () => {
    const at = (n: number) => new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString()
    assert.deepEqual(await numbers(`?createdAfter=${at(2)}&createdBefore=${at(4)}`), [3, 2])
    const paris = encodeURIComponent('2026-01-01T01:00:02+01:00')
    assert.deepEqual(await numbers(`?createdAfter=${paris}&createdBefore=${at(3)}`), [2])
    assert.deepEqual(await numbers(`?createdBefore=${at(0)}`), [])
  })

  const wrong: Record<string, string> = {
    'limit=0': '?limit',
    'limit=201': '?limit',
    'limit=-1': '?limit',
    'limit=1.5': '?limit',
    'limit=ten': '?limit',
    'limit=': '?limit',
    'limit=1&limit=2': '?limit',
    'cursor=made-up': '?cursor',
    'cursor=': '?cursor',
    [`cursor=${'x'.repeat(1001)}`]: '?cursor',
    'cursor=%00': '?cursor',
    'state=open': '?state',
    'dialect=telepathy': '?dialect',
    'guestId=': '?guestId',
    'createdAfter=yesterday': '?createdAfter',
    'createdAfter=2026-01-01': '?createdAfter',
    'createdAfter=2026-01-01T00:00:00': '?createdAfter',
    'createdBefore=2026-02-30T00:00:00Z': '?createdBefore',
    'colour=red': '?colour',
    '__proto__=1': '?__proto__',
  }
  for (const [query, pointer] of Object.entries(wrong)) {
    it(`is invalid-request, pointing at ${pointer}: ${query.slice(0, 40)}`, async () => {
      const answer = await gateway().api('GET', `/v1/sessions?${query}`)
      const { errors } = assertProblem(answer, 'invalid-request')
      assert.deepEqual(
        errors.map((error: { pointer: string }) => error.pointer),
        [pointer],
      )
    })
  }

  it('is invalid-request with the cursor of another list or another filter', async () => {
    const { nextCursor } = await list('?limit=1')
    const answer = await gateway().api('GET', `/v1/sessions?state=closed&cursor=${nextCursor}`)
    assert.equal(assertProblem(answer, 'invalid-request').errors[0].pointer, '?cursor')
  })
})

describe('GET /v1/sessions/{sessionId}/messages', () => {
  const gateway = sharedGateway()

  it('pages through the transcript in order, and refuses a cursor of elsewhere', async () => {
    const { api } = gateway()
    const session = await openSession(api)
    const texts = ['one', 'two', 'three', 'four', 'five']
    for (const text of texts) await send(api, session, text, respondAsync)
    const path = `/v1/sessions/${session.id}/messages`

    const seen: string[] = []
    let cursor: string | null = null
    do {
      const answer: { body: { items: { text: string }[]; nextCursor: string | null } } = await api(
        'GET',
        `${path}?limit=2${cursor === null ? '' : `&cursor=${cursor}`}`,
      )
      seen.push(...answer.body.items.map(({ text }) => text))
      cursor = answer.body.nextCursor
    } while (cursor !== null)
    assert.deepEqual(seen, texts)

    const { body: page } = await api('GET', `${path}?limit=2`)
    const other = await createSession(api)
    for (const elsewhere of [
      `/v1/sessions?cursor=${page.nextCursor}`,
      `/v1/sessions/${other.id}/messages?cursor=${page.nextCursor}`,
      `${path}?cursor=made-up`,
    ]) {
      const answer = await api('GET', elsewhere)
      assert.equal(assertProblem(answer, 'invalid-request').errors[0].pointer, '?cursor')
    }
  })

  it('is session-not-found for a session that is not there', async () => {
    const answer = await gateway().api('GET', '/v1/sessions/gs_unknown/messages?cursor=made-up')
    assertProblem(answer, 'session-not-found')
  })
})
