import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { textsAt } from '../support/far-end.ts'
import { startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { createSession, openSession, respondAsync, send, transcript } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

const clients = ['first', 'second'].map((id) => ({ id, secret: `${id}-not-a-real-secret` }))
const limit = { limit: 10, windowMs: 2000 }

describe('the quota of the platform', { concurrency: 4 }, () => {
  it('A6, R1: is shared by the OAuth clients, used to the full and never exceeded', async (t) => {
    const { api, simulator } = await startTestGateway(t, {
      simulator: { clients, rateLimit: limit },
      environment: {
        GENESYS_CLIENT_ID: '',
        GENESYS_CLIENT_SECRET: '',
        GENESYS_CLIENTS: JSON.stringify(clients),
        GENESYS_RATE_LIMIT: '10/2s',
      },
    })
    const sessions = await Promise.all([1, 2, 3, 4].map(() => createSession(api)))
    const texts = Array.from({ length: 40 }, (_, at) => `message ${at}`)
    const startedAt = performance.now()

    const answers = await Promise.all(
      texts.map((text, at) => send(api, sessions[at % 4] ?? { id: '' }, text)),
    )

    const seconds = (performance.now() - startedAt) / 1000
    assert.deepEqual(new Set(answers.map(({ body }) => body.status)), new Set(['sent']))
    const received = simulator.control.received.list('external-guests')
    assert.deepEqual(
      received.filter(({ answeredStatus }) => answeredStatus === 429),
      [],
    )
    for (const { id } of clients) {
      const at = received.filter(({ clientId }) => clientId === id).map((request) => request.at)
      assert.ok(at.length >= 15, `${id} had ${at.length} of ${received.length}`)
      for (let n = limit.limit; n < at.length; n++) {
        const span = (at[n] ?? 0) - (at[n - limit.limit] ?? 0)
        assert.ok(span >= limit.windowMs, `${id}: ${limit.limit + 1} calls in ${span} ms`)
      }
    }
    // Twenty every two seconds, over what creation and polls have taken.
    assert.ok(seconds < 8, `it took ${seconds} s`)
    assert.equal(textsAt(simulator).length, 40)
  })

  it('R1: makes every caller of a client wait when one is told to, and only those', async (t) => {
    const { api, simulator } = await startTestGateway(t, {
      simulator: { clients },
      environment: {
        GENESYS_CLIENT_ID: '',
        GENESYS_CLIENT_SECRET: '',
        GENESYS_CLIENTS: JSON.stringify(clients),
        GENESYS_RATE_LIMIT: '1000/1s',
      },
    })
    const sessions = await Promise.all([1, 2, 3, 4].map(() => openSession(api)))
    const { received, faults } = simulator.control
    faults.add({ kind: 'rate-limit', retryAfter: 5, clientId: 'first', count: 1 })
    received.clear()

    for (const session of sessions) {
      assert.equal((await send(api, session, 'Hello')).body.status, 'sent')
    }

    const toFirst = received.list('external-guests').filter(({ clientId }) => clientId === 'first')
    assert.deepEqual(
      toFirst.map(({ answeredStatus }) => answeredStatus),
      [429],
    )
    const { quota } = (await api('GET', '/v1/stats')).body
    const paused = quota.filter(({ pausedUntil }: { pausedUntil: string | null }) => pausedUntil)
    assert.deepEqual(
      paused.map(({ client }: { client: string }) => client),
      ['first'],
    )
  })

  it('R2: refuses at once who would wait longer than it can, with a Retry-After that is true', async (t) => {
    const { api, simulator } = await startTestGateway(t, {
      simulator: { rateLimit: { limit: 4, windowMs: 3000 } },
      environment: {
        GENESYS_RATE_LIMIT: '4/3s',
        GENESYS_TIMEOUT_MS: '300',
        GENESYS_ACTIVATION_TIMEOUT_MS: '900',
      },
    })
    const session = await openSession(api)
    const answers = []
    for (let at = 0; answers.at(-1)?.status !== 429; at++) {
      assert.ok(at < 5, 'nobody was refused')
      answers.push(await send(api, session, `message ${at}`))
    }
    const refused = answers.at(-1)
    const refusedAt = performance.now()

    assert.equal(refused?.body.code, 'rate-limited')
    assert.equal(refused?.body.retryable, true)
    const seconds = Number(refused?.headers.get('retry-after'))
    assert.equal(seconds, refused?.body.retryAfterSeconds)
    assert.ok(seconds >= 1 && seconds <= 3)
    const creation = await api('POST', '/v1/sessions', { guest: { name: 'Bob' } })
    assert.deepEqual([creation.status, creation.body.code], [429, 'rate-limited'])

    // Whoever does as told gets through, and who is not in a hurry too.
    const patient = await send(api, session, 'patient', respondAsync)
    await until('Retry-After is over', () => performance.now() - refusedAt >= seconds * 1000)
    const obedient = await send(api, session, 'obedient')
    assert.deepEqual([patient.status, obedient.status], [202, 201])
    await until('nothing waits', async () => {
      const messages = await transcript(api, session)
      return messages.every(({ status }) => status === 'sent' || status === 'failed')
    })
    const statuses = simulator.control.received
      .list('external-guests')
      .map(({ answeredStatus }) => answeredStatus)
    assert.ok(!statuses.includes(429), 'the platform itself never had to refuse')
  })

  it('R1: holds over kill -9 and restart: no window sees more than the limit', {
    timeout: 60_000,
  }, async (t) => {
    const simulator = await startSimulator({ activationMs: 20, agent: false, rateLimit: 'off' })
    t.after(() => simulator[Symbol.asyncDispose]())
    const folder = temporaryFolder(t)
    const restarts = { limit: 30, windowMs: 4000 }
    const settings = settingsFor(simulator, {
      STORE: 'sqlite:gateway.db',
      GENESYS_RATE_LIMIT: '30/4s',
      GENESYS_TIMEOUT_MS: '1000',
    })
    const { received } = simulator.control
    const arrivals = () => received.list('external-guests').map(({ at }) => at)

    for (let life = 1; life <= 5; life++) {
      const gateway = await startGatewayProcess(t, folder, settings)
      if (life === 1) {
        const { body } = await gateway.api('POST', '/v1/sessions', { guest: { name: 'Ada' } })
        const texts = Array.from({ length: 100 }, (_, at) => `message ${at}`)
        for (const text of texts) {
          await gateway.api('POST', `/v1/sessions/${body.id}/messages`, { text }, respondAsync)
        }
      }
      const before = arrivals().length
      await until('more calls arrive', () => arrivals().length >= before + 12)
      await gateway.kill()
    }

    const at = arrivals()
    assert.ok(at.length > restarts.limit, `only ${at.length} calls arrived`)
    for (let n = restarts.limit; n < at.length; n++) {
      const span = (at[n] ?? 0) - (at[n - restarts.limit] ?? 0)
      assert.ok(span >= restarts.windowMs, `${restarts.limit + 1} calls in ${span} ms`)
    }
  })
})
