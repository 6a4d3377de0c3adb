/** The HTTP server: what every route has in common. The routes themselves are in routes/. */
import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import underPressure from '@fastify/under-pressure'
import { type FastifyBaseLogger, type FastifyInstance, fastify, LogController } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { type ApiKeys, requireRole } from './auth.ts'
import { acceptBodies } from './bodies.ts'
import { requestId } from './context.ts'
import { problemContentType, problemOf, sendProblem } from './problem-reply.ts'
import type { ApiRateLimiter } from './rate-limit.ts'
import { validatorCompiler } from './validation.ts'

export interface ServerDeps {
  logger: FastifyBaseLogger
  clock: Clock
  keys: ApiKeys
  limiter: ApiRateLimiter
  trustProxy: boolean | string
  /** True once the process has begun to stop. */
  isDraining(): boolean
  /** Told about every answered request. */
  onAnswered(route: string, method: string, status: number, seconds: number): void
}

export type App = ReturnType<typeof createServer>

const maxBodyBytes = 1024 * 1024
const maxHeaderBytes = 16 * 1024
const maxConnections = 10_000

/** Allocates the server; routes are added by the caller, then `listen`. */
export function createServer(deps: ServerDeps) {
  const app = fastify({
    loggerInstance: deps.logger,
    // One line per business event is logged where it happens, not one per request.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    trustProxy: deps.trustProxy,
    genReqId: requestId,
    requestIdHeader: false,
    // A request must have arrived within a minute; a kept connection outlives the usual proxy's 60 s.
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    connectionTimeout: 0,
    http: { maxHeaderSize: maxHeaderBytes, headersTimeout: 20_000 },
    routerOptions: { maxParamLength: 256 },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, error)
    },
  }).withTypeProvider<ZodTypeProvider>()
  app.server.maxConnections = maxConnections

  app.setValidatorCompiler(validatorCompiler)
  // Answers are built from typed views and checked against their schemas in tests, not on every reply.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  acceptBodies(app)

  app.decorateRequest('principal', null)
  app.register(helmet, { contentSecurityPolicy: false, crossOriginEmbedderPolicy: false })
  app.register(underPressure, {
    maxEventLoopDelay: 1000,
    sampleInterval: 500,
    pressureHandler: (request, reply) => {
      if (!request.url.startsWith('/health/')) sendProblem(request, reply, shedding())
    },
  })

  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    const { roles } = request.routeOptions.config
    if (deps.isDraining() && roles) throw shuttingDown()
    if (!roles) return
    const principal = deps.keys.authenticate(request.headers.authorization)
    request.principal = principal
    const now = deps.clock.now()
    const budget = deps.limiter.count(principal.name, now)
    if (budget) {
      reply.header('ratelimit-policy', budget.policy)
      reply.header('ratelimit', budget.remaining)
      deps.limiter.check(principal.name, now)
    }
    requireRole(principal, roles)
  })

  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    deps.onAnswered(route, request.method, reply.statusCode, reply.elapsedTime / 1000)
  })

  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0]
    return sendProblem(request, reply, new GatewayError('route-not-found', `There is no ${path}`))
  })
  return app
}

/** Answers `method-not-allowed` wherever a path exists and the method does not. Register before the routes. */
export function refuseOtherMethods(app: FastifyInstance): void {
  const methodsByUrl = new Map<string, Set<string>>()
  const candidates = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
  app.addHook('onRoute', ({ url, method, config }) => {
    if ((config as { refusal?: boolean } | undefined)?.refusal) return
    const methods = methodsByUrl.get(url) ?? new Set()
    methodsByUrl.set(url, methods)
    for (const each of [method].flat()) methods.add(each)
  })
  app.addHook('onReady', async () => undefined)
  app.register(async (scope) => {
    scope.after(() => {
      for (const [url, methods] of methodsByUrl) {
        const missing = candidates.filter((method) => !methods.has(method))
        if (url.includes('*') || missing.length === 0) continue
        scope.route({
          url,
          method: missing,
          config: { refusal: true } as object,
          schema: { hide: true } as object,
          handler: (request, reply) => {
            reply.header('allow', [...methods].join(', '))
            const detail = `${request.method} is not a method of ${url}`
            return sendProblem(request, reply, new GatewayError('method-not-allowed', detail))
          },
        })
      }
    })
  })
}

function shedding(): GatewayError {
  return new GatewayError('overloaded', 'The gateway is shedding load', {
    retryable: true,
    retryAfterMs: 2000,
  })
}

function shuttingDown(): GatewayError {
  return new GatewayError('shutting-down', 'This process is stopping', {
    retryable: true,
    retryAfterMs: 2000,
  })
}

/** What Node could not read as HTTP still gets a problem. */
function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [431, 'Request Header Fields Too Large']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? [408, 'Request Timeout']
        : [400, 'Bad Request']
  const detail =
    status === 431 ? `The headers are over ${maxHeaderBytes} bytes` : 'Not an HTTP request'
  const problem = problemOf(new GatewayError('invalid-request', detail), '/', 'none')
  const body = JSON.stringify({ ...problem, status })
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${problemContentType}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
