/** A span for every request, where spans are recorded: what the request leads to is below it. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { readTrace } from '../trace.ts'
import type { Span, Tracer } from '../tracing.ts'

/** To be called before any other hook is added, so that requests refused by those have their span too. */
export function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, protocol, headers, routeOptions, raw } = request
    const route = request.is404 ? undefined : routeOptions.url
    const span = tracer.start(route === undefined ? method : `${method} ${route}`, {
      kind: 'server',
      parent: readTrace(headers) ?? null,
      attributes: {
        'http.request.method': method,
        'http.route': route,
        'url.scheme': protocol,
        'url.path': route && pathOf(route, request),
        'network.protocol.version': raw.httpVersion,
      },
    })
    request.trace = span.trace
    spans.set(request, span)
    done()
  })
  app.addHook('onResponse', (request, reply, done) => {
    const span = spans.get(request)
    span?.set({ 'http.response.status_code': reply.statusCode })
    span?.end(reply.statusCode >= 500 ? String(reply.statusCode) : undefined)
    done()
  })
}

const ourId = /^(gs|msg|evt|whk)_[0-9a-f-]{36}$/

/** The route with our ids filled in. Whatever else a caller writes into a path, or behind it, may be personal. */
function pathOf(route: string, { params }: FastifyRequest): string {
  const values = params as Record<string, string> | undefined
  return route.replace(/:(\w+)/g, (parameter, name: string) => {
    const value = values?.[name] ?? ''
    return ourId.test(value) ? value : parameter
  })
}
