/** An OpenTelemetry collector in miniature: a real server that takes OTLP over HTTP and remembers every span. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { listen } from '../../support/ports.ts'
import { until } from '../../support/until.ts'
import { Fields } from './protobuf.ts'

export interface CollectedSpan {
  traceId: string
  spanId: string
  /** Empty for the first of a trace. */
  parentId: string
  name: string
  kind: 'internal' | 'server' | 'client' | 'other'
  durationMs: number
  failed: boolean
  attributes: Record<string, string | number | boolean | undefined>
  /** Of the service that sent it. */
  resource: Record<string, string | number | boolean | undefined>
}

export interface Collector {
  url: string
  spans: CollectedSpan[]
  /** Headers of every post. */
  posts: IncomingHttpHeaders[]
  /** All it posted, as it came. */
  bytes: Buffer[]
  /** Once there are so many spans of that name. */
  collected(name: string, count?: number): Promise<CollectedSpan[]>
}

export async function startCollector(t: Pick<TestContext, 'after'>): Promise<Collector> {
  const spans: CollectedSpan[] = []
  const posts: IncomingHttpHeaders[] = []
  const bytes: Buffer[] = []
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const isTraces = request.method === 'POST' && request.url === '/v1/traces'
    response.writeHead(isTraces ? 200 : 404, { 'content-type': 'application/x-protobuf' }).end()
    if (!isTraces) return
    posts.push(request.headers)
    bytes.push(body)
    spans.push(...spansIn(body))
  })
  const port = await listen(server)
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const collected = (name: string, count = 1) =>
    until(`${count} spans named ${name}`, () => {
      const found = spans.filter((span) => span.name === name)
      return found.length >= count && found
    })
  return { url: `http://127.0.0.1:${port}`, spans, posts, bytes, collected }
}

const kinds = ['other', 'internal', 'server', 'client'] as const

/** ExportTraceServiceRequest of opentelemetry-proto 1.x. */
function spansIn(body: Buffer): CollectedSpan[] {
  return new Fields(body).messages(1).flatMap((resourceSpans) => {
    const resource = attributesIn(resourceSpans.message(1), 1)
    const scopes = resourceSpans.messages(2)
    return scopes.flatMap((scope) => scope.messages(2)).map((span) => spanIn(span, resource))
  })
}

function spanIn(span: Fields, resource: CollectedSpan['resource']): CollectedSpan {
  return {
    traceId: span.hex(1),
    spanId: span.hex(2),
    parentId: span.hex(4),
    name: span.text(5) ?? '',
    kind: kinds[span.number(6) ?? 0] ?? 'other',
    durationMs: ((span.number(8) ?? 0) - (span.number(7) ?? 0)) / 1e6,
    failed: span.message(15).number(3) === 2,
    attributes: attributesIn(span, 9),
    resource,
  }
}

function attributesIn(fields: Fields, number: number): CollectedSpan['attributes'] {
  const entries = fields.messages(number).map((pair) => {
    const value = pair.message(2)
    const flag = value.number(2)
    return [pair.text(1), value.text(1) ?? (flag === undefined ? value.number(3) : flag === 1)]
  })
  return Object.fromEntries(entries)
}
