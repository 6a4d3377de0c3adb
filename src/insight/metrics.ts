import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** What a scrape reads from the rest of the gateway. */
export interface MetricSources {
  sessions(): Record<string, number>
  /** Messages accepted and not settled. */
  queueDepth(): number
  quota(): readonly {
    client: string
    dialects: readonly string[]
    used: number
    limit: number
    queued: number
  }[]
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The gateway's figures for Prometheus. Labels come from closed lists: routes, statuses, operations, OAuth clients. */
export class Metrics {
  readonly #registry = new Registry()
  readonly #requests: Histogram<'route' | 'method' | 'status'>
  readonly #calls: Histogram<'operation' | 'dialect' | 'outcome'>
  readonly #attempts: Counter<'operation' | 'dialect'>
  readonly #messages: Counter<'outcome'>

  constructor(sources: MetricSources) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry })
    this.#requests = new Histogram({
      name: 'gateway_http_request_seconds',
      help: 'Requests answered, by route pattern, method and status',
      labelNames: ['route', 'method', 'status'],
      buckets: seconds,
      registers,
    })
    this.#calls = new Histogram({
      name: 'gateway_upstream_call_seconds',
      help: 'Calls to the platform with their waits and retries; outcome is the status or the error code',
      labelNames: ['operation', 'dialect', 'outcome'],
      buckets: seconds,
      registers,
    })
    this.#attempts = new Counter({
      name: 'gateway_upstream_attempts_total',
      help: 'Requests that left for the platform',
      labelNames: ['operation', 'dialect'],
      registers,
    })
    this.#messages = new Counter({
      name: 'gateway_messages_settled_total',
      help: 'Messages that came to an end, by how',
      labelNames: ['outcome'],
      registers,
    })
    new Gauge({
      name: 'gateway_sessions',
      help: 'Sessions by state',
      labelNames: ['state'],
      registers,
      collect() {
        for (const [state, count] of Object.entries(sources.sessions())) this.set({ state }, count)
      },
    })
    new Gauge({
      name: 'gateway_messages_waiting',
      help: 'Messages accepted and not settled',
      registers,
      collect() {
        this.set(sources.queueDepth())
      },
    })
    quotaGauge('used', 'Places of the quota in use, by OAuth client', registers, sources)
    quotaGauge('limit', 'Places of the quota, by OAuth client', registers, sources)
    quotaGauge('queued', 'Calls waiting for the quota, by OAuth client', registers, sources)
  }

  request(route: string, method: string, status: number, elapsedSeconds: number): void {
    this.#requests.observe({ route, method, status: String(status) }, elapsedSeconds)
  }

  call(operation: string, dialect: string, outcome: string, attempts: number, ms: number): void {
    this.#calls.observe({ operation, dialect, outcome }, ms / 1000)
    this.#attempts.inc({ operation, dialect }, attempts)
  }

  settled(outcome: string): void {
    this.#messages.inc({ outcome })
  }

  /** Prometheus text and its content type. */
  async render(): Promise<{ contentType: string; text: string }> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() }
  }
}

function quotaGauge(
  figure: 'used' | 'limit' | 'queued',
  help: string,
  registers: Registry[],
  sources: MetricSources,
): void {
  new Gauge({
    name: `gateway_quota_${figure}`,
    help,
    labelNames: ['client', 'dialects'],
    registers,
    collect() {
      for (const quota of sources.quota()) {
        this.set({ client: quota.client, dialects: quota.dialects.join(' ') }, quota[figure])
      }
    },
  })
}
