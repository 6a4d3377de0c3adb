import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { operations } from '../support/openapi.ts'
import { assertProblem } from '../support/problems.ts'
import { openSocket, refusedUpgrade } from '../support/session-socket.ts'
import { createSession, openSession, send, transcript } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse } from '../support/sse.ts'
import { bare, shop, stranger, tokenFor } from './support/tokens.ts'

describe('A stream token', () => {
  const gateway = sharedGateway()

  it('opens its own session’s streams, by URL or as a bearer, for its page or a program', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    const { token, websocketUrl, eventsUrl } = await tokenFor(api, session)
    const plain = (url: string) => url.replace(/\?.*/, '')
    const asBearer = { bearer: token }
    const readers = [
      await openSse(eventsUrl, { bearer: null, headers: { origin: shop } }),
      await openSse(eventsUrl, { bearer: null }),
      await openSse(plain(eventsUrl), asBearer),
      (await openSocket(websocketUrl, { bearer: null, origin: shop })).endWith(t),
      (await openSocket(websocketUrl, { bearer: null })).endWith(t),
      (await openSocket(plain(websocketUrl), asBearer)).endWith(t),
    ]
    await send(api, session, 'Hello')
    for (const reader of readers) {
      await reader.first(2)
      assert.deepEqual(reader.sequences, [3, 4])
      if ('close' in reader) reader.close()
    }
  })

  it('lives ten minutes unless asked otherwise, an hour at most', async () => {
    const { api } = gateway()
    const session = await createSession(api)
    const livesSeconds = async (ttl: object) =>
      (Date.parse((await tokenFor(api, session, ttl)).expiresAt) - Date.now()) / 1000
    assert.ok(Math.abs((await livesSeconds({})) - 600) < 3)
    assert.ok(Math.abs((await livesSeconds({ ttlSeconds: 3600 })) - 3600) < 3)
    for (const ttlSeconds of [0, -1, 3601, 1.5, '600', null]) {
      const asked = { origin: shop, ttlSeconds }
      const answer = await api('POST', `/v1/sessions/${session.id}/stream-tokens`, asked)
      assertProblem(answer, 'invalid-request')
    }
  })

  it('is not made for a foreign origin, nor for a session that is over or unknown', async () => {
    const { api } = gateway()
    const session = await createSession(api)
    const ask = (id: string, origin: string) =>
      api('POST', `/v1/sessions/${id}/stream-tokens`, { origin })
    for (const origin of [stranger, `${shop}/`, 'https://SHOP.example', `${shop}:8443`, 'null']) {
      assertProblem(await ask(session.id, origin), 'origin-not-allowed')
    }
    assertProblem(await ask('gs_nobody', shop), 'session-not-found')
    await api('DELETE', `/v1/sessions/${session.id}`)
    assertProblem(await ask(session.id, shop), 'session-closed')
  })

  it('comes with the session where asked for, and again under the same Idempotency-Key', async (t) => {
    const { api, simulator } = gateway()
    const asked = {
      guest: { name: 'Ada' },
      stream: { origin: shop, canSend: true, ttlSeconds: 60 },
    }
    const headers = { 'idempotency-key': 'with-a-token' }
    const first = await api('POST', '/v1/sessions', asked, headers)
    assert.equal(first.status, 201)
    const again = await api('POST', '/v1/sessions', asked, headers)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.deepEqual(again.body, first.body)

    const { streamToken } = first.body
    const socket = (
      await openSocket(streamToken.websocketUrl, { bearer: null, origin: shop })
    ).endWith(t)
    socket.say({ type: 'message', id: 'mine', text: 'Hello' })
    await socket.frame('ack', { id: 'mine' })

    const made = () => simulator.control.received.list('external-guests.createGuest').length
    const before = made()
    const foreign = { ...asked, stream: { origin: stranger } }
    assertProblem(await api('POST', '/v1/sessions', foreign), 'origin-not-allowed')
    assert.equal(made(), before)
  })

  it('opens no stream of another session, nor that of all', async () => {
    const { api, url } = gateway()
    const [mine, other] = [await createSession(api), await createSession(api)]
    const { token } = await tokenFor(api, mine)
    const targets = [`/v1/sessions/${other.id}`, '/v1/sessions/gs_nobody']
    for (const target of targets) {
      for (const query of [`?token=${token}`, `?after=0&token=${token}`]) {
        assertProblem(await bare(`${url}${target}/events${query}`), 'unauthorized')
        const upgrade = refusedUpgrade(`${url}${target}/ws${query}`, { bearer: null })
        assertProblem(await upgrade, 'unauthorized')
      }
      const authorization = `Bearer ${token}`
      assertProblem(await bare(`${url}${target}/events`, { authorization }), 'unauthorized')
      assertProblem(await refusedUpgrade(`${url}${target}/ws`, { bearer: token }), 'unauthorized')
    }
  })

  it('hears at a route for keys where it may send, whether it is a good one or not', async () => {
    const { api, url } = gateway()
    const session = await createSession(api)
    const { token } = await tokenFor(api, session, { canSend: true })
    const target = `${url}/v1/sessions/${session.id}/messages`
    const details = []
    for (const bearer of [token, `${token}x`, `${token.split('.')[0]}.e30.c2ln`]) {
      const answer = await bare(target, { authorization: `Bearer ${bearer}` }, 'POST')
      details.push(assertProblem(answer, 'unauthorized').detail)
    }
    assert.match(details[0] ?? '', /canSend sends over the WebSocket/)
    assert.equal(new Set(details).size, 1)
    const aKey = await bare(target, { authorization: 'Bearer eyJhbGciOiJIUzI1NiJ9.e30.x' }, 'POST')
    assert.match(assertProblem(aKey, 'unauthorized').detail, /API key is not known/)
  })

  const keyed = operations.filter((operation) => operation['x-roles'])
  for (const { method, path: route, operationId } of keyed) {
    if (operationId === 'streamSessionEvents') continue
    it(`does nothing at ${method} ${route}`, async () => {
      const { api, url } = gateway()
      const mine = await createSession(api)
      const other = await createSession(api)
      const { token } = await tokenFor(api, mine, { canSend: true })
      for (const session of [mine, other]) {
        const target = url + route.replace('{sessionId}', session.id).replace(/\{\w+\}/g, 'any')
        const asBearer = await bare(target, { authorization: `Bearer ${token}` }, method)
        assertProblem(asBearer, 'unauthorized')
        assertProblem(await bare(`${target}?token=${token}`, {}, method), 'unauthorized')
      }
    })
  }

  it('is refused from a page of another origin, on SSE and on the upgrade', async () => {
    const { api } = gateway()
    const session = await createSession(api)
    const { eventsUrl, websocketUrl } = await tokenFor(api, session)
    for (const origin of [stranger, 'null', `${shop}:8443`]) {
      assertProblem(await bare(eventsUrl, { origin }), 'origin-not-allowed')
      const upgrade = await refusedUpgrade(websocketUrl, { bearer: null, origin })
      const { instance } = assertProblem(upgrade, 'origin-not-allowed')
      assert.equal(instance, `/v1/sessions/${session.id}/ws`)
    }
  })

  it('that may only read gets an error frame for what it says', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    const { websocketUrl } = await tokenFor(api, session)
    const socket = (await openSocket(websocketUrl, { bearer: null })).endWith(t)
    socket.say({ type: 'message', id: 'mine', text: 'Hello' })
    const { problem } = await socket.frame('error', { id: 'mine' })
    assert.equal(problem.code, 'forbidden')
    socket.say({ type: 'typing' })
    assert.equal((await socket.frame('error', { id: null })).problem.code, 'forbidden')
    const { body } = await api('GET', `/v1/sessions/${session.id}/messages`)
    assert.deepEqual(body.items, [])
  })

  it('still reads a session that is over to its end, for a reader that was cut just before', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    const { eventsUrl, websocketUrl } = await tokenFor(api, session, { canSend: true })
    await send(api, session, 'Hello')
    await api('DELETE', `/v1/sessions/${session.id}`)

    const socket = (await openSocket(`${websocketUrl}&after=3`, { bearer: null })).endWith(t)
    const sse = await openSse(eventsUrl, { bearer: null, headers: { 'last-event-id': '3' } })
    assert.deepEqual(await socket.closed, { code: 4410, reason: 'the session is over' })
    await sse.ended
    assert.deepEqual(
      [socket.sequences, sse.sequences, sse.types.at(-1)],
      [[4, 5], [4, 5], 'session.closed'],
    )
    assert.equal((await bare(eventsUrl, { 'last-event-id': sse.lastId })).status, 204)
  })

  it('does nothing else once its session is over: it sends nothing and is not renewed', async (t) => {
    const { api } = gateway()
    const session = await openSession(api)
    const writing = await tokenFor(api, session, { canSend: true })
    await api('DELETE', `/v1/sessions/${session.id}`)
    const ask = { origin: shop }
    const another = await api('POST', `/v1/sessions/${session.id}/stream-tokens`, ask)
    assertProblem(another, 'session-closed')
    const before = await transcript(api, session)
    const socket = (await openSocket(writing.websocketUrl, { bearer: null })).endWith(t)
    for (const frame of [
      { type: 'message', id: 'late', text: 'Hello' },
      { type: 'renew', token: writing.token },
    ]) {
      socket.say(frame)
    }
    assert.equal((await socket.closed).code, 4410)
    assert.deepEqual(
      socket.frames.map(({ type, problem }) => [type, problem?.code]),
      [
        ['error', 'session-closed'],
        ['error', 'session-closed'],
      ],
    )
    assert.deepEqual(await transcript(api, session), before)
    const { websocketUrl } = await tokenFor(api, await openSession(api))
    const elsewhere = websocketUrl.replace(/gs_[^/]+/, session.id)
    assertProblem(await refusedUpgrade(elsewhere, { bearer: null }), 'unauthorized')
    assertProblem(
      await refusedUpgrade(writing.websocketUrl, { bearer: null, origin: stranger }),
      'origin-not-allowed',
    )
  })

  it('is in no log line and in no problem', async () => {
    const { api, logs } = gateway()
    const session = await createSession(api)
    const { token, eventsUrl, websocketUrl } = await tokenFor(api, session)
    const answers = [
      await bare(eventsUrl, { origin: stranger }),
      await refusedUpgrade(websocketUrl, { bearer: null, origin: stranger }),
      await bare(`${eventsUrl}&after=x`),
    ]
    for (const secret of [token, token.split('.').at(-1) ?? '']) {
      assert.ok(!JSON.stringify(answers.map(({ body }) => body)).includes(secret))
      assert.ok(!logs.join('').includes(secret))
    }
  })

  it('has URLs of PUBLIC_URL where that is set', async (t) => {
    const environment = { PUBLIC_URL: 'https://gateway.example' }
    const { api, url } = await startTestGateway(t, { environment })
    const session = await createSession(api)
    const { eventsUrl, websocketUrl, token } = await tokenFor(api, session)
    const base = `gateway.example/v1/sessions/${session.id}`
    assert.equal(eventsUrl, `https://${base}/events?token=${token}`)
    assert.equal(websocketUrl, `wss://${base}/ws?token=${token}`)
    // A page of its own, behind a proxy that rewrites Host and speaks TLS for it.
    const origin = 'https://gateway.example'
    const own = await tokenFor(api, session, { origin })
    for (const query of ['', `?token=${own.token}`]) {
      const events = `${url}/v1/sessions/${session.id}/events${query}`
      const reader = await openSse(events, { headers: { origin } })
      assert.equal(reader.status, 200)
      reader.close()
    }
  })
})
