import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Body, signIn } from '../../support.ts'
import { type Guest, guestScene } from './guest.ts'

interface Page {
  status: number
  body: Body & { entities: Body[] }
}

describe('history of web messaging', () => {
  const jwtOf = async (guest: Guest) => String((await guest.ask('getJwt')).body.jwt)

  async function read(url: string, jwt?: string, query = ''): Promise<Page> {
    const response = await fetch(`${url}/api/v2/webmessaging/messages${query}`, {
      headers: jwt === undefined ? {} : { authorization: `Bearer ${jwt}` },
    })
    return { status: response.status, body: (await response.json()) as Page['body'] }
  }

  it('is read with a JWT, page by page, newest first', async (t) => {
    const { simulator, control, guest } = await guestScene(t)
    const one = await guest()
    const { type, class: name, body } = await one.ask('getJwt')
    assert.deepEqual([type, name], ['response', 'JwtResponse'])
    assert(Math.abs(Number(body.exp) - Date.now() / 1_000 - 900) < 30)
    const jwt = String(body.jwt)
    assert.deepEqual((await read(simulator.url, jwt)).body, {
      entities: [],
      pageSize: 0,
      pageNumber: 1,
      total: 0,
      pageCount: 0,
    })

    await one.presence('Join')
    for (let sent = 1; sent <= 26; sent += 1) await one.say(`${sent}`)
    control.say(one.token, { text: 'from the agent' })
    control.type(one.token)

    const first = await read(simulator.url, jwt)
    const { entities, ...numbers } = first.body
    assert.deepEqual(numbers, { pageSize: 25, pageNumber: 1, total: 28, pageCount: 2 })
    assert.deepEqual(
      [entities[0]?.text, entities[1]?.text, entities.length],
      ['from the agent', '26', 25],
    )
    const second = await read(simulator.url, jwt, '?pageSize=25&pageNumber=2')
    assert.equal(second.body.entities.length, 3)
    assert.equal(second.body.entities.at(-1)?.type, 'Event')
    assert.deepEqual((await read(simulator.url, jwt, '?pageNumber=3')).body.entities, [])
  })

  it('U12 is oldest first within a page, and without times, where that is switched on', async (t) => {
    const { simulator, guest, set } = await guestScene(t)
    set({ historyOrder: 'oldest-first', historyTimes: 'null' })
    const one = await guest()
    for (const text of ['1', '2', '3']) await one.say(text)

    const { body } = await read(simulator.url, await jwtOf(one), '?pageSize=2')

    assert.deepEqual(
      body.entities.map(({ text, channel }) => [text, (channel as Body).time]),
      [
        ['2', null],
        ['3', null],
      ],
    )
  })

  it('U9 is closed to a JWT that has expired, or whose connection is gone', async (t) => {
    const { simulator, control, guest, set } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    const jwt = await jwtOf(one)
    control.advanceClock(900_000)
    assert.equal((await read(simulator.url, jwt)).status, 401)

    const two = await guest(one.token)
    const [stale, other] = [await jwtOf(two), await jwtOf(one)]
    two.socket.raw.close()
    await control.sockets.settled(1)
    assert.equal((await read(simulator.url, stale)).status, 401)
    assert.equal((await read(simulator.url, other)).status, 200)
    set({ jwtDiesWith: 'time' })
    assert.equal((await read(simulator.url, stale)).status, 200)
  })

  it('is nobody’s without a JWT, nor an OAuth client’s', async (t) => {
    const { simulator, set } = await guestScene(t)
    const { token } = await signIn(simulator)

    assert.equal((await read(simulator.url)).status, 401)
    assert.equal((await read(simulator.url, 'made-up')).status, 401)
    assert.equal((await read(simulator.url, token)).status, 401)
    set({ historyWithOAuthStatus: 403 })
    assert.equal((await read(simulator.url, token)).status, 403)
  })

  it('is there while read-only, and gone after Clear unless switched otherwise', async (t) => {
    const { simulator, control, guest, set } = await guestScene(t)
    const one = await guest()
    await one.say('hello')
    control.close(one.token)
    const jwt = await jwtOf(one)
    assert.equal((await read(simulator.url, jwt)).body.entities.length, 2)
    await one.presence('Clear')
    assert.equal((await read(simulator.url, jwt)).status, 401)

    set({ clearedHistory: 'readable' })
    const two = await guest()
    await two.say('hello')
    const kept = await jwtOf(two)
    await two.presence('Clear')
    assert.equal((await read(simulator.url, kept)).status, 200)
  })

  it('is read at most ten times a minute', async (t) => {
    const { simulator, guest, set } = await guestScene(t)
    set({ limits: { historyReadsPerSession: { limit: 10, windowMs: 60_000 } } })
    const one = await guest()
    const jwt = await jwtOf(one)
    for (let reads = 0; reads < 10; reads += 1) {
      assert.equal((await read(simulator.url, jwt)).status, 200)
    }

    assert.equal((await read(simulator.url, jwt)).status, 429)
  })

  it('leads a back office from a message to its conversation', async (t) => {
    const { simulator, control, guest, set } = await guestScene(t)
    const api = await signIn(simulator)
    const one = await guest()
    const { body: echo } = await one.say('hello')
    const path = '/api/v2/conversations/messages'

    const { body: details } = await api.call('GET', `${path}/${echo.id}/details`)
    assert.equal(details.conversationId, control.conversation(one.token)?.id)
    assert.equal((await api.call('GET', `${path}/unknown/details`)).status, 404)

    const said = `${path}/${details.conversationId}/communications/c-1/messages`
    assert.equal((await api.call('POST', said, { textBody: 'hi' })).status, 403)
    set({ agentMessagesByClient: 'allowed' })
    assert.equal((await api.call('POST', said, { textBody: 'hi' })).status, 200)
    assert.deepEqual(await one.heard(), ['hi'])

    const conversation = `${path}/${details.conversationId}`
    const ended = await api.call('PATCH', conversation, { state: 'disconnected' })
    assert.equal(ended.status, 200)
    assert.equal((await one.say('hello?')).code, 409)
  })

  it('shows a back office who is in a conversation, and that it is over', async (t) => {
    const { simulator, control, guest } = await guestScene(t)
    const api = await signIn(simulator)
    const one = await guest()
    const { body: echo } = await one.say('hello')
    const id = control.conversation(one.token)?.id
    const path = `/api/v2/conversations/messages/${id}`
    const participants = async () => {
      const { body } = await api.call('GET', path)
      assert.deepEqual([body.id, body.selfUri], [id, path])
      return body.participants as Body[]
    }

    const customer = (await participants()).find(({ purpose }) => purpose === 'customer')
    assert(customer)
    assert.equal(customer.state, 'connected')
    assert.deepEqual(
      (customer.messages as Body[]).map(({ messageId }) => messageId),
      [echo.id],
    )

    await api.call('PATCH', path, { state: 'disconnected' })
    assert((await participants()).every(({ state }) => state === 'disconnected'))
    const unknown = '/api/v2/conversations/messages/some-conversation'
    assert.equal((await api.call('GET', unknown)).status, 404)
  })
})
