/**
 * The port behind which spans are recorded. There is no tracer where nobody collects them, and then a place that would
 * make a span costs one check. What a span says is never personal and never secret.
 */
import type { Trace } from './trace.ts'

/** Named as OpenTelemetry's semantic conventions do; ours begin with `gateway.`. What is undefined is left out. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

export interface SpanStart {
  kind: 'server' | 'client' | 'internal'
  /** What it is below of; null begins a trace. */
  parent: Trace | null
  attributes: SpanAttributes
  /** Epoch ms, where it began before now. */
  at?: number
}

export interface Span {
  /** What goes on from here: the trace, below this span. */
  readonly trace: Trace
  set(attributes: SpanAttributes): void
  /** `failure`, one of few words, is why it did not do what it was to. */
  end(failure?: string): void
}

export interface Tracer {
  start(name: string, start: SpanStart): Span
}

/** Who is called, without the path: that may say who the guest is, or be a key. */
export function serverOf(url: string): SpanAttributes {
  const { hostname, port, protocol } = URL.parse(url) ?? { hostname: '', port: '', protocol: '' }
  const isSecure = protocol === 'https:' || protocol === 'wss:'
  return { 'server.address': hostname, 'server.port': Number(port) || (isSecure ? 443 : 80) }
}
