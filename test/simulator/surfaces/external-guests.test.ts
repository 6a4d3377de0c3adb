import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { activeGuest, type Body, signIn, startTestSimulator } from '../support.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('the external-guests surface', () => {
  it('G1 creates a guest as the document shows, without a status', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const asked = {
      name: 'Automated Test Guest',
      email: 'test.guest@example.com',
      languageCode: 'en-US',
      routingData: { queueId: 'queue-1' },
    }

    const { status, body } = await api.create(asked)

    assert.equal(status, 201)
    const { id, conversationId, createdAt, ...rest } = body
    assert.match(String(id), uuid)
    assert.match(String(conversationId), uuid)
    assert.equal(new Date(String(createdAt)).toISOString(), createdAt)
    assert.deepEqual(rest, asked)
  })

  it('refuses a guest without a name in the platform error shape', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)

    for (const guest of [{}, { name: '' }, { name: 7 }, [], 'Ada']) {
      const { status, body } = await api.create(guest)
      assert.equal(status, 400, JSON.stringify(guest))
      assert.equal(body.status, 400)
      assert.equal(body.code, 'invalid.value')
      assert.match(String(body.contextId), uuid)
      assert(Array.isArray(body.details) && Array.isArray(body.errors))
    }
  })

  it('G2 becomes ACTIVE only when routing has taken its time', async (t) => {
    const simulator = await startTestSimulator(t, { activationMs: 60_000 })
    const api = await signIn(simulator)
    const { body: guest } = await api.create()

    assert.equal((await api.status(guest)).body.status, 'ROUTING')
    const early = await api.send(guest)
    assert.equal(early.status, 409)
    assert.match(String(early.body.message), /not ready/)

    simulator.control.advanceClock(60_000)
    assert.equal((await api.status(guest)).body.status, 'ACTIVE')
    assert.equal((await api.send(guest)).status, 201)
  })

  it('G2 routes a guest without a queue only once a message was tried', async (t) => {
    const simulator = await startTestSimulator(t, { activationMs: 2_000 })
    const api = await signIn(simulator)
    const { body: guest } = await api.create({ name: 'Ada' })

    simulator.control.advanceClock(3_600)
    assert.equal((await api.status(guest)).body.status, 'PENDING')
    assert.equal((await api.send(guest)).status, 409)
    assert.equal((await api.status(guest)).body.status, 'ROUTING')
    simulator.control.advanceClock(2_000)
    assert.equal((await api.send(guest)).status, 201)
    assert.equal((await api.transcript(guest)).length, 1)
  })

  it('M1 takes messages from user, agent, bot and system, and from nobody else', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const guest = await activeGuest(simulator, api)

    for (const type of ['user', 'agent', 'bot', 'system']) {
      const { status, body } = await api.send(guest, { author: { type }, text: `from ${type}` })
      assert.equal(status, 201)
      assert.match(String(body.id), /^msg-[0-9a-f-]{36}$/)
      const { id: _id, createdAt: _createdAt, ...rest } = body
      assert.deepEqual(rest, {
        type: 'text',
        text: `from ${type}`,
        author: { type },
        conversationId: guest.conversationId,
      })
    }
    const wrong: Body[] = [
      { author: { type: 'robot' } },
      { author: undefined },
      { type: 'image' },
      { text: '' },
      { conversationId: undefined },
    ]
    for (const message of wrong) assert.equal((await api.send(guest, message)).status, 400)
  })

  it('G3 refuses a conversation that is not the guest’s', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const guest = await activeGuest(simulator, api)
    const other = await activeGuest(simulator, api)

    const crossed = await api.send(guest, { conversationId: other.conversationId })

    assert.equal(crossed.status, 409)
    assert.deepEqual(await api.transcript(other), [])
  })

  it('M3 counts text in UTF-8 bytes and refuses more than 4096', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const guest = await activeGuest(simulator, api)

    assert.equal((await api.send(guest, { text: 'é'.repeat(2048) })).status, 201)
    const tooLong = await api.send(guest, { text: `${'é'.repeat(2048)}.` })
    assert.equal(tooLong.status, 413)
    assert.equal(tooLong.body.code, 'request.entity.too.large')
  })

  it('knows no guest it did not make, and no path the document lacks', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)

    const unknown = await api.status({ id: 'no-such-guest' })
    assert.equal(unknown.status, 404)
    assert.equal(unknown.body.code, 'not.found')
    assert.equal((await api.call('GET', '/api/v2/external/webmessaging')).status, 404)
  })

  it('refuses bodies that are not JSON, not declared JSON, or too large', async (t) => {
    const simulator = await startTestSimulator(t)
    const { token } = await signIn(simulator)
    const post = (body: string, contentType: string) =>
      fetch(`${simulator.url}/api/v2/external/webmessaging/guests`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
        body,
      })

    assert.equal((await post('{"name":', 'application/json')).status, 400)
    assert.equal((await post('name=Ada', 'application/x-www-form-urlencoded')).status, 415)
    const huge = await post(JSON.stringify({ name: 'a'.repeat(512_000) }), 'application/json')
    assert.equal(huge.status, 413)
  })

  it('says so when a guest is over, with the status that is switched on', async (t) => {
    const simulator = await startTestSimulator(t)
    const api = await signIn(simulator)
    const guest = await activeGuest(simulator, api)

    simulator.control.close(String(guest.conversationId))

    assert.equal((await api.status(guest)).body.status, 'CLOSED')
    for (const closedStatus of [409, 404, 410] as const) {
      simulator.control.configure({ closedStatus })
      assert.equal((await api.send(guest)).status, closedStatus)
    }
  })
})

describe('the scripted agent', () => {
  it('answers once for all that was said, after a delay', async (t) => {
    const simulator = await startTestSimulator(t, { agent: true, agentDelayMs: 60_000 })
    const api = await signIn(simulator)
    const guest = await activeGuest(simulator, api)
    await api.send(guest, { text: 'one' })
    await api.send(guest, { text: 'two' })

    const authors = async () => (await api.transcript(guest)).map(({ author }) => author.type)
    assert.deepEqual(await authors(), ['bot', 'bot'])
    simulator.control.advanceClock(90_000)
    assert.deepEqual(await authors(), ['bot', 'bot', 'agent'])
  })

  it('does not answer itself or the system', async (t) => {
    const simulator = await startTestSimulator(t, { agent: true })
    const api = await signIn(simulator)
    const guest = await activeGuest(simulator, api)
    await api.send(guest, { author: { type: 'system' } })
    await api.send(guest, { author: { type: 'agent' } })

    simulator.control.advanceClock(60_000)

    assert.equal((await api.transcript(guest)).length, 2)
  })

  it('repeats itself, ids and all, under the same seed', async (t) => {
    const tell = async (seed: string) => {
      const simulator = await startTestSimulator(t, { seed, agent: true })
      const api = await signIn(simulator)
      const guest = await activeGuest(simulator, api)
      for (const text of ['one', 'two', 'three']) {
        await api.send(guest, { text })
        simulator.control.advanceClock(5_000)
      }
      const said = (await api.transcript(guest)).map(({ createdAt: _, ...rest }: Body) => rest)
      return { token: api.token, id: guest.id, said }
    }

    const first = await tell('a')
    assert.equal(first.said.length, 6)
    assert.deepEqual(await tell('a'), first)
    assert.notDeepEqual(await tell('b'), first)
  })
})
