/**
 * Spans by OpenTelemetry's own packages, over OTLP/HTTP. Imported only where somebody collects them. What those packages
 * read of the environment by themselves stays their affair: headers, certificates, time-outs, compression, the name and
 * the attributes of the service.
 */
import { trace as api, ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace'
import type { Clock } from '../clock.ts'
import { redact } from '../redact.ts'
import { isSampled, spanIdOf, type Trace, traceIdOf } from '../trace.ts'
import type { Span, SpanStart, Tracer } from '../tracing.ts'

export interface OtlpTracerDeps {
  /** Where spans are posted to, whole. */
  url: string
  version: string
  clock: Clock
  log: { info(text: string): void; warn(fields: object, text: string): void }
}

/** So that a trace can be looked at soon after it. */
const exportEveryMs = 1000
/** What is left when the process stops gets so long. */
const flushMs = 1000

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }

/** A collector that cannot be reached slows nothing: spans wait in a bounded queue, and those over it are dropped. */
export function openOtlpTracer({
  url,
  version,
  clock,
  log,
}: OtlpTracerDeps): Tracer & AsyncDisposable {
  const service = { 'service.name': 'genesys-guest-gateway', 'service.version': version }
  const exporter = watched(new OTLPTraceExporter({ url }), log)
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes(service))
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: exportEveryMs })],
  })
  const tracer = provider.getTracer('genesys-guest-gateway', version)
  return {
    start(name, { kind, parent, attributes, at }: SpanStart): Span {
      const options = {
        kind: kinds[kind],
        attributes: given(attributes),
        ...(at !== undefined && { startTime: at }),
      }
      const span = tracer.startSpan(name, options, contextOf(parent))
      const { traceId, spanId, traceFlags } = span.spanContext()
      return {
        trace: {
          parent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
          state: parent?.state ?? null,
        },
        set: (more) => {
          span.setAttributes(given(more))
        },
        end: (failure) => {
          if (!span.isRecording()) return
          if (failure !== undefined) {
            span.setAttribute('error.type', failure)
            span.setStatus({ code: SpanStatusCode.ERROR })
          }
          span.end()
        },
      }
    },
    async [Symbol.asyncDispose]() {
      const late = Promise.withResolvers<void>()
      const cancel = clock.after(flushMs, late.resolve)
      // What went wrong with it has been said by then.
      await Promise.race([provider.shutdown().catch(() => undefined), late.promise])
      cancel()
    },
  }
}

function contextOf(parent: Trace | null) {
  if (!parent) return ROOT_CONTEXT
  return api.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(parent),
    spanId: spanIdOf(parent),
    traceFlags: isSampled(parent) ? 1 : 0,
    isRemote: true,
  })
}

function given(attributes: SpanStart['attributes']): Record<string, string | number | boolean> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  )
}

/** Says once that spans cannot be exported, and once that they can again. */
function watched(exporter: SpanExporter, log: OtlpTracerDeps['log']): SpanExporter {
  let failing = false
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0
        if (failed && !failing) {
          const reason = redact(result.error?.message ?? 'it gave no reason')
          log.warn({ reason }, 'spans cannot be exported; the gateway goes on without')
        }
        if (!failed && failing) log.info('spans are exported again')
        failing = failed
        done(result)
      })
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  }
}
