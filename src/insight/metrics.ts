import {
  Counter,
  collectDefaultMetrics,
  Histogram,
  type OpenMetricsContentType,
  Registry,
} from 'prom-client'
import type { JournalEvent } from '../sessions/events.ts'
import { addGauges, type MetricSources } from './gauges.ts'
import { platformStatusLabel } from './labels.ts'
import { RequestTimes } from './request-times.ts'

export interface UpstreamCall {
  operation: string
  dialect: string
  /** OAuth client of the last attempt; null when none got that far. */
  clientId: string | null
  /** Of the answer; null without one. */
  status: number | null
  /** Why there was none. */
  code: string | null
  attempts: number
  durationMs: number
  quotaWaitMs: number
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** For what may have to wait for the quota or for a guest to be routed. */
const waits = [0.001, 0.01, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900]

export type MetricsFormat = 'prometheus' | 'openmetrics'

/**
 * The gateway's figures for Prometheus. Labels come from closed lists, so that there are never more series than these
 * allow: routes, methods, statuses, error codes, operations, dialects, event types, OAuth clients.
 */
export class Metrics {
  readonly #registries: {
    prometheus: Registry
    openmetrics: Registry<OpenMetricsContentType>
  }
  readonly #requests: RequestTimes
  readonly #calls: Histogram<'operation' | 'dialect' | 'outcome'>
  readonly #attempts: Counter<'operation' | 'dialect'>
  readonly #tokenCalls: Counter<'outcome'>
  readonly #quotaWaits: Histogram<'client'>
  readonly #messages: Counter<'outcome'>
  readonly #queueWaits: Histogram
  readonly #commits: Counter
  readonly #events: Counter<'type'>

  constructor(sources: MetricSources) {
    const registry = new Registry()
    const registers = [registry]
    // Among them the delay of the event loop.
    collectDefaultMetrics({ register: registry })
    this.#requests = new RequestTimes(
      registry,
      'gateway_http_request_seconds',
      'Requests answered, by route pattern, method and status',
      seconds,
    )
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
    this.#tokenCalls = new Counter({
      name: 'gateway_upstream_token_calls_total',
      help: 'Requests for an access token; outcome is the status or the kind of fault',
      labelNames: ['outcome'],
      registers,
    })
    this.#quotaWaits = new Histogram({
      name: 'gateway_quota_wait_seconds',
      help: 'How long calls to the platform waited for a place in the quota, by OAuth client',
      labelNames: ['client'],
      buckets: waits,
      registers,
    })
    this.#messages = new Counter({
      name: 'gateway_messages_settled_total',
      help: 'Messages that came to an end, by how',
      labelNames: ['outcome'],
      registers,
    })
    this.#queueWaits = new Histogram({
      name: 'gateway_message_queue_seconds',
      help: 'How long messages waited from being accepted until they left for the platform',
      buckets: waits,
      registers,
    })
    this.#commits = new Counter({
      name: 'gateway_store_commits_total',
      help: 'Transactions that brought events into the journal',
      registers,
    })
    this.#events = new Counter({
      name: 'gateway_journal_events_total',
      help: 'Events that came into the journal, by type',
      labelNames: ['type'],
      registers,
    })
    addGauges(registry, sources)
    this.#registries = { prometheus: registry, openmetrics: inOpenMetrics(registry) }
  }

  request(route: string, method: string, status: number, elapsedSeconds: number): void {
    this.#requests.observe(route, method, status, elapsedSeconds)
  }

  call({ operation, dialect, clientId, status, code, ...rest }: UpstreamCall): void {
    const outcome = status === null ? (code ?? 'aborted') : platformStatusLabel(status)
    this.#calls.observe({ operation, dialect, outcome }, rest.durationMs / 1000)
    this.#attempts.inc({ operation, dialect }, rest.attempts)
    if (clientId !== null) this.#quotaWaits.observe({ client: clientId }, rest.quotaWaitMs / 1000)
  }

  /** The status of the answer to a request for a token, or why there was none. */
  tokenCall(outcome: number | string): void {
    this.#tokenCalls.inc({
      outcome: typeof outcome === 'number' ? platformStatusLabel(outcome) : outcome,
    })
  }

  leaving(waitedMs: number): void {
    this.#queueWaits.observe(waitedMs / 1000)
  }

  settled(outcome: string): void {
    this.#messages.inc({ outcome })
  }

  /** What one commit brought. */
  committed(events: readonly JournalEvent[]): void {
    this.#commits.inc()
    for (const { type } of events) this.#events.inc({ type })
  }

  async render(format: MetricsFormat): Promise<{ contentType: string; text: string }> {
    const registry = this.#registries[format]
    return { contentType: registry.contentType, text: await registry.metrics() }
  }
}

/** The same metrics as OpenMetrics text. A registry of that kind renames counters, so it gets views of them. */
function inOpenMetrics(registry: Registry): Registry<OpenMetricsContentType> {
  const open = new Registry<OpenMetricsContentType>()
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const metric of registry.getMetricsAsArray()) open.registerMetric(Object.create(metric))
  return open
}
