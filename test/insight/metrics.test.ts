import assert from 'node:assert/strict'
import { request as httpRequest, METHODS } from 'node:http'
import { describe, it } from 'node:test'
import { Metrics } from '../../src/insight/metrics.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { openSession, respondAsync, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse } from '../support/sse.ts'
import { until } from '../support/until.ts'
import { readExposition, seriesOf, sumOf } from './support/exposition.ts'

const usual = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT']
const methods = METHODS.filter((method) => !usual.includes(method))
const openMetrics = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5'

describe('the metrics', () => {
  it('leave out what cannot be read, and only that', async () => {
    const unreadable = () => Promise.reject(new StoreUnavailable('disk I/O error'))
    const metrics = new Metrics({
      sessions: () => [],
      waiting: () => 3,
      quota: () => [],
      streams: () => ({ upstream: 1, downstream: 2 }),
      webhooks: unreadable,
      readers: unreadable,
    })
    for (const format of ['prometheus', 'openmetrics'] as const) {
      const families = readExposition((await metrics.render(format)).text, format)
      assert.equal(sumOf(families, 'gateway_messages_waiting'), 3)
      assert.equal(sumOf(families, 'gateway_streams'), 3)
      assert.deepEqual(families.get('gateway_journal_lag_events')?.samples, [])
    }
  })

  it('look at the journal once for a scrape, and anew for the next', async () => {
    let looks = 0
    const look = async () => ({ pending: ++looks, deadLettered: looks })
    const metrics = new Metrics({
      sessions: () => [],
      waiting: () => 0,
      quota: () => [],
      streams: () => ({ upstream: 0, downstream: 0 }),
      webhooks: look,
      readers: async () => [{ reader: 'webhooks', events: (await look()).pending, seconds: 0 }],
    })
    for (const looked of [2, 4]) {
      const { text } = await metrics.render('prometheus')
      assert.equal(looks, looked)
      const families = readExposition(text, 'prometheus')
      assert.equal(sumOf(families, 'gateway_webhooks_pending'), looked - 1)
      assert.equal(sumOf(families, 'gateway_webhooks_dead_lettered'), looked - 1)
      assert.equal(sumOf(families, 'gateway_journal_lag_events'), looked)
    }
  })
})

describe('/metrics', () => {
  const gateway = sharedGateway({
    environment: { GENESYS_RATE_LIMIT: '20/1s', WEBHOOK_ALLOW_PRIVATE: 'true' },
  })
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)
  const scrape = async () => {
    const { body } = await api('GET', '/metrics')
    return readExposition(body, 'prometheus')
  }

  it('has what an operator watches', async () => {
    const session = await openSession(api, { dialect: 'guest-sessions' })
    await send(api, session, 'Hello')
    const families = await scrape()
    const expected = {
      gateway_http_request_seconds: 'histogram',
      gateway_upstream_call_seconds: 'histogram',
      gateway_upstream_attempts_total: 'counter',
      gateway_upstream_token_calls_total: 'counter',
      gateway_quota_used: 'gauge',
      gateway_quota_limit: 'gauge',
      gateway_quota_queued: 'gauge',
      gateway_quota_paused: 'gauge',
      gateway_quota_wait_seconds: 'histogram',
      gateway_messages_waiting: 'gauge',
      gateway_message_queue_seconds: 'histogram',
      gateway_messages_settled_total: 'counter',
      gateway_sessions: 'gauge',
      gateway_streams: 'gauge',
      gateway_journal_events_total: 'counter',
      gateway_journal_lag_events: 'gauge',
      gateway_journal_lag_seconds: 'gauge',
      gateway_store_commits_total: 'counter',
      gateway_webhooks_pending: 'gauge',
      gateway_webhooks_dead_lettered: 'gauge',
      nodejs_eventloop_lag_p99_seconds: 'gauge',
      process_resident_memory_bytes: 'gauge',
    }
    for (const [name, type] of Object.entries(expected)) {
      assert.equal(families.get(name)?.type, type, name)
      assert.ok((families.get(name)?.samples.length ?? 0) > 0, `${name} has no sample`)
    }
  })

  it('counts as /v1/stats does', async () => {
    const { body: stats } = await api('GET', '/v1/stats')
    const families = await scrape()
    for (const { dialect, total: _, ...states } of stats.sessionsByDialect) {
      for (const [state, count] of Object.entries(states)) {
        assert.equal(sumOf(families, 'gateway_sessions', { dialect, state }), count)
      }
    }
    assert.ok(stats.streams.upstream > 0)
    for (const [direction, count] of Object.entries(stats.streams)) {
      assert.equal(sumOf(families, 'gateway_streams', { direction }), count)
    }
    assert.equal(
      sumOf(families, 'gateway_journal_events_total', { type: 'session.created' }),
      stats.sessions.total,
    )
  })

  it('tells how long messages waited to leave, and calls for the quota', async () => {
    const { simulator } = gateway()
    simulator.control.freezeRouting(true)
    const { body: session } = await api('POST', '/v1/sessions', {
      guest: { name: 'Ada' },
      routing: { queueId: 'queue-test' },
    })
    const before = await scrape()
    await send(api, session, 'When there is somebody', respondAsync)
    await until('it waits', async () => sumOf(await scrape(), 'gateway_messages_waiting') === 1)
    simulator.control.freezeRouting(false)
    const after = await until('it has left', async () => {
      const families = await scrape()
      return sumOf(families, 'gateway_messages_waiting') === 0 && families
    })
    const grown = (name: string) => sumOf(after, name) - sumOf(before, name)
    assert.equal(grown('gateway_message_queue_seconds_count'), 1)
    assert.ok(grown('gateway_message_queue_seconds_sum') > 0)

    const names = Array.from({ length: 25 }, (_, index) => `Guest ${index}`)
    await Promise.all(
      names.map((name) => openSession(api, { dialect: 'conversations', guest: { name } })),
    )
    const later = await scrape()
    assert.ok(sumOf(later, 'gateway_quota_wait_seconds_sum') > 0.1)
    assert.equal(sumOf(later, 'gateway_quota_limit'), 20)
  })

  it('tells how far behind webhooks are, in events and in time', async () => {
    const { body: webhook } = await api('POST', '/v1/webhooks', { url: 'http://127.0.0.1:9/' })
    await openSession(api, { dialect: 'conversations' })
    const families = await until('it lags', async () => {
      const found = await scrape()
      const seconds = sumOf(found, 'gateway_journal_lag_seconds', { reader: 'webhooks' })
      return seconds > 0 && found
    })
    assert.equal(sumOf(families, 'gateway_webhooks_pending'), 2)
    assert.equal(sumOf(families, 'gateway_journal_lag_events', { reader: 'webhooks' }), 2)
    assert.equal(sumOf(families, 'gateway_journal_lag_events', { reader: 'stats' }), 0)
    await api('DELETE', `/v1/webhooks/${webhook.id}`)
    assert.equal(sumOf(await scrape(), 'gateway_webhooks_pending'), 0)
  })

  it('is OpenMetrics for who accepts it, and counters keep their names for who does not', async () => {
    for (let round = 0; round < 2; round += 1) {
      const open = await api('GET', '/metrics', undefined, { accept: openMetrics })
      assert.match(
        open.headers.get('content-type') ?? '',
        /^application\/openmetrics-text; version=1/,
      )
      const families = readExposition(open.body, 'openmetrics')
      assert.ok(sumOf(families, 'gateway_upstream_attempts_total') > 0)
      assert.ok(sumOf(families, 'gateway_sessions') > 0)
      const plain = await api('GET', '/metrics', undefined, { accept: 'text/plain' })
      assert.match(plain.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
      assert.equal(plain.headers.get('vary')?.includes('accept'), true)
      assert.ok(readExposition(plain.body, 'prometheus').has('gateway_upstream_attempts_total'))
    }
  })

  it('has no more series after whatever callers and the platform come up with', async () => {
    const session = await openSession(api, { dialect: 'conversations' })
    const odd = async (round: number) => {
      const own = `odd-${round}-${'x'.repeat(round)}`
      await call(methods[round % methods.length] ?? 'GET', `/v1/sessions/${own}`)
      await call('GET', `/${own}/%00/..%2f${own}?${own}=${own}`)
      await call('GET', `/pages/${own}.js`)
      await call('GET', `/docs/${own}`)
      await call('GET', `/problems/${own}`)
      await call('GET', `/v1/sessions/gs_${own}`)
      await api('GET', `/v1/sessions?dialect=${own}`)
      await api('POST', '/v1/sessions', { dialect: own, guest: { name: own } })
      await api('POST', `/v1/sessions/gs_${own}/messages`, { text: own })
      const { faults } = gateway().simulator.control
      faults.add({ kind: 'status', status: 450 + round, count: 1, operation: 'conversations' })
      await send(api, session, `refused ${own}`)
      faults.remove()
      const reader = await openSse(`${gateway().url}/v1/sessions/${session.id}/events`, {
        headers: { origin: `https://${own}.example` },
      })
      reader.close()
    }
    for (let round = 0; round < 4; round += 1) await odd(round)
    const before = seriesOf(await scrape())
    for (let round = 4; round < 40; round += 1) await odd(round)
    assert.deepEqual(seriesOf(await scrape()), before)
  })

  /** With a method that fetch does not know. */
  function call(method: string, path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const { hostname, port } = new URL(gateway().url)
    const headers = { authorization: 'Bearer test-admin-key' }
    httpRequest({ hostname, port, method, path, headers, agent: false }, (answer) => {
      answer.resume().on('end', resolve)
    })
      .on('error', reject)
      .end()
    return promise
  }
})
