/** What a scrape reads from the rest of the gateway, at that moment. */
import { Gauge, type Registry } from 'prom-client'
import { StoreUnavailable } from '../store/store.ts'
import type { StateCounts } from './session-counts.ts'

export interface MetricSources {
  sessions(): readonly { dialect: string; counts: StateCounts }[]
  /** Messages accepted and not settled. */
  waiting(): number
  quota(): readonly {
    client: string
    dialects: readonly string[]
    used: number
    limit: number
    queued: number
    /** Epoch ms. */
    pausedUntil: number | null
  }[]
  streams(): { upstream: number; downstream: number }
  webhooks(): Promise<{ pending: number; deadLettered: number }>
  /** How far each reader of the journal is behind its end; `seconds` is the age of the oldest event it has not read. */
  readers(): Promise<readonly { reader: 'stats' | 'webhooks'; events: number; seconds: number }[]>
}

type Reading = readonly [value: number, labels?: Record<string, string>]
type Read = () => readonly Reading[] | Promise<readonly Reading[]>

export function addGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, labelNames: string[], read: Read) =>
    addGauge(registry, name, help, labelNames, read)
  const webhooks = shared(() => sources.webhooks())
  const readers = shared(() => sources.readers())

  gauge('gateway_sessions', 'Sessions by present state and dialect', ['state', 'dialect'], () =>
    sources.sessions().flatMap(({ dialect, counts: { total: _, ...states } }) => {
      const each = Object.entries(states)
      return each.map(([state, count]): Reading => [count, { state, dialect }])
    }),
  )
  gauge('gateway_messages_waiting', 'Messages accepted and not settled', [], () => [
    [sources.waiting()],
  ])
  gauge(
    'gateway_streams',
    'Open streams: upstream to the platform, downstream to callers',
    ['direction'],
    () => Object.entries(sources.streams()).map(([direction, count]) => [count, { direction }]),
  )

  const quota = (figure: 'used' | 'limit' | 'queued', help: string) =>
    gauge(`gateway_quota_${figure}`, help, ['client', 'dialects'], () =>
      sources
        .quota()
        .map((each) => [each[figure], { client: each.client, dialects: each.dialects.join(' ') }]),
    )
  quota('used', 'Places of the quota in use, by OAuth client')
  quota('limit', 'Places of the quota, by OAuth client')
  quota('queued', 'Calls waiting for the quota, by OAuth client')
  gauge(
    'gateway_quota_paused',
    'Whether the platform asked this OAuth client to wait',
    ['client'],
    () => sources.quota().map(({ client, pausedUntil }) => [pausedUntil ? 1 : 0, { client }]),
  )

  gauge(
    'gateway_webhooks_pending',
    'Events not delivered yet, over all destinations',
    [],
    async () => [[(await webhooks()).pending]],
  )
  gauge(
    'gateway_webhooks_dead_lettered',
    'Events given up on, over all destinations',
    [],
    async () => [[(await webhooks()).deadLettered]],
  )
  gauge(
    'gateway_journal_lag_events',
    'Events a reader of the journal has not read',
    ['reader'],
    async () => (await readers()).map(({ reader, events }) => [events, { reader }]),
  )
  gauge(
    'gateway_journal_lag_seconds',
    'Age of the oldest event a reader of the journal has not read',
    ['reader'],
    async () => (await readers()).map(({ reader, seconds }) => [seconds, { reader }]),
  )
}

function addGauge(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
  read: Read,
): void {
  new Gauge({
    name,
    help,
    labelNames,
    registers: [registry],
    async collect() {
      this.reset()
      for (const [value, labels] of await readings(read)) {
        if (labels) this.set(labels, value)
        else this.set(value)
      }
    },
  })
}

/** Gauges of one scrape are read side by side: what several of them need is read once. */
function shared<Value>(read: () => Promise<Value>): () => Promise<Value> {
  let reading: Promise<Value> | undefined
  return () => {
    reading ??= read().finally(() => {
      reading = undefined
    })
    return reading
  }
}

/** A store that cannot be read has nothing to tell, and says so itself; all else is to be had still. */
async function readings(read: Read): Promise<readonly Reading[]> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof StoreUnavailable) return []
    throw error
  }
}
