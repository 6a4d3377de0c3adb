import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { openSocket } from '../support/session-socket.ts'
import { openSession } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { until } from '../support/until.ts'

describe('A hundred viewers of one session', () => {
  it('all see all of it, over one connection to the platform', async (t) => {
    const { api, url, simulator } = await startTestGateway(t)
    const session = await openSession(api, { dialect: 'guest-sessions' })
    const route = `${url}/v1/sessions/${session.id}`
    const sockets = await Promise.all(
      Array.from({ length: 50 }, async () => (await openSocket(`${route}/ws?after=0`)).endWith(t)),
    )
    const streams = await Promise.all(
      Array.from({ length: 50 }, () => openSse(`${route}/events?after=0`)),
    )
    t.after(() => {
      for (const stream of streams) stream.close()
    })
    const viewers = [...sockets, ...streams]
    assert.equal((await api('GET', '/v1/stats')).body.streams.downstream, 100)
    assert.equal(simulator.control.sockets.list().length, 1)

    const before = Math.max(...sockets.map(({ sequences }) => sequences.length))
    for (let said = 0; said < 50; said += 1) {
      simulator.control.say(session.guestId, { text: `line ${said}` })
    }
    const last = before + 50
    await until('all have all', () => viewers.every(({ sequences }) => sequences.length >= last))
    const [first] = sockets
    for (const viewer of viewers) {
      const events = 'ws' in viewer ? viewer.events : viewer.events.map(({ data }) => data)
      assert.deepEqual(events, first?.events)
    }
    const lines = first?.events.filter(({ type }) => type === 'message.received')
    assert.deepEqual(
      lines?.map(({ data }) => data.text),
      Array.from({ length: 50 }, (_, index) => `line ${index}`),
    )
    assert.equal(simulator.control.sockets.list().length, 1)
    assert.equal((await api('GET', '/v1/stats')).body.streams.upstream, 1)
    const dials = simulator.control.received
      .list('guest-sessions')
      .filter(({ answeredStatus }) => answeredStatus === 101)
    assert.equal(dials.length, 1)
  })
})
