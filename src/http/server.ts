/** The HTTP server: what every route has in common. The routes themselves are in routes/. */
import underPressure from '@fastify/under-pressure'
import {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Role } from '../settings.ts'
import type { Tracer } from '../tracing.ts'
import { type ApiKeys, requireRole } from './auth.ts'
import { acceptJson } from './bodies.ts'
import { BrokenRequests } from './broken-requests.ts'
import { requestId } from './context.ts'
import { allowOrigin } from './cors.ts'
import type { Origins } from './origins.ts'
import { sendProblem } from './problem-reply.ts'
import type { ApiRateLimiter } from './rate-limit.ts'
import { pageHeaders } from './security-headers.ts'
import { traceRequests } from './trace-requests.ts'
import { unknownRoutes } from './unknown-routes.ts'
import { invalidRequest, schemaController } from './validation.ts'

export interface ServerDeps {
  logger: FastifyBaseLogger
  clock: Clock
  keys: ApiKeys
  limiter: ApiRateLimiter
  origins: Origins
  tracer?: Tracer | undefined
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
/** Turns of the event loop that take longer on average: load is shed. */
const longestTurnMs = 1000
/** A sample without a whole turn in it counts as the worst, and of a turn the start and the end must be in it. */
const pressureSampleMs = 2 * longestTurnMs

/** Allocates the server; routes are added by the caller, then `listen`. */
export function createServer(deps: ServerDeps) {
  const broken = new BrokenRequests(maxHeaderBytes)
  const app = fastify({
    loggerInstance: deps.logger,
    // One line per business event is logged where it happens, not one per request.
    logController: new LogController({ disableRequestLogging: true }),
    schemaController,
    bodyLimit: maxBodyBytes,
    trustProxy: deps.trustProxy,
    genReqId: requestId,
    requestIdHeader: false,
    // A request must have arrived within a minute; a kept connection outlives the usual proxy's 60 s.
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    connectionTimeout: 0,
    // Node's own refusal of a request without Host has no problem in it; ours is below.
    http: {
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: 20_000,
      requireHostHeader: false,
      // Any other upgrade is an offer that may be ignored; some clients make one with every first request.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    // No parameter is matched by a pattern that could be slow, so an id of any length is just not found.
    routerOptions: { maxParamLength: maxHeaderBytes },
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => void broken.answer(error, socket),
    frameworkErrors: (error, request, reply) => {
      sendProblem(request, reply, error)
    },
  }).withTypeProvider<ZodTypeProvider>()
  // A logger for every request would only add its id; where a line is about one, it is said.
  app.log.child = () => app.log as never
  app.server.maxConnections = maxConnections
  // Expectations other than 100-continue may be ignored, which leaves every answer to the routes.
  app.server.on('checkExpectation', (request, response) =>
    app.server.emit('request', request, response),
  )

  acceptJson(app)

  app.decorateRequest('principal', null)
  app.decorateRequest('trace', null)
  app.decorateRequest('route', null)
  if (deps.tracer) traceRequests(app as unknown as FastifyInstance, deps.tracer)
  const refuseUnknown = unknownRoutes(app as unknown as FastifyInstance)
  const ofPages = pageHeaders()
  const isShedding = watchPressure(app as unknown as FastifyInstance)
  // One hook, which calls back instead of promising, and reads routeOptions once: it is made anew each time.
  app.addHook('onRequest', (request, reply, done) => {
    broken.began(request.raw, reply.raw)
    const { url, config } = request.routeOptions
    request.route = url ?? null
    // What takes a key is for programs: a browser that comes upon it is only not to guess what it is.
    if (config.roles || config.ownAccess) reply.header('x-content-type-options', 'nosniff')
    else reply.headers(ofPages)
    reply.header('x-request-id', request.id)
    if (allowOrigin(deps.origins, request, reply)) return
    try {
      if (isShedding() && !request.url.startsWith('/health/')) throw shedding()
      if (url === undefined) throw refuseUnknown(request, reply)
      if (request.raw.httpVersion === '1.1' && request.headers.host === undefined) {
        throw invalidRequest([{ pointer: 'header:host', detail: 'is missing' }])
      }
      if (config.roles) admit(deps, config.roles, request, reply)
      done()
    } catch (error) {
      done(error as Error)
    }
  })

  app.addHook('onResponse', (request, reply, done) => {
    broken.answered(request.raw)
    const { route, method } = request
    deps.onAnswered(route ?? 'none', method, reply.statusCode, reply.elapsedTime / 1000)
    done()
  })

  app.setErrorHandler((error, request, reply) => sendProblem(request, reply, error))
  // For routes that give a request away: a file of the docs that is not there.
  app.setNotFoundHandler((request, reply) =>
    sendProblem(request, reply, refuseUnknown(request, reply)),
  )
  return app
}

/** Whether load is to be shed now. Its plugin's own hook, which would cost each request, is left where no route is. */
function watchPressure(app: FastifyInstance): () => boolean {
  let isUnderPressure = () => false
  app.register(async (scope) => {
    await scope.register(underPressure, {
      maxEventLoopDelay: longestTurnMs,
      sampleInterval: pressureSampleMs,
    })
    isUnderPressure = () => scope.isUnderPressure()
  })
  // Starting holds the event loop up as load would; the first samples still show it, in real time whatever the clock.
  let shedsFrom = Number.POSITIVE_INFINITY
  app.addHook('onListen', async () => {
    shedsFrom = performance.now() + 2 * pressureSampleMs
  })
  return () => isUnderPressure() && performance.now() >= shedsFrom
}

/** Lets the request in, or throws why not: its key, our limit of it, its role. */
function admit(
  deps: ServerDeps,
  roles: readonly Role[],
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  if (deps.isDraining()) throw shuttingDown()
  const principal = deps.keys.authenticate(request.headers.authorization, request.raw.socket)
  request.principal = principal
  const now = deps.clock.now()
  const budget = deps.limiter.count(principal.name, now)
  if (budget) {
    reply.header('ratelimit-policy', budget.policy)
    reply.header('ratelimit', budget.remaining)
    deps.limiter.check(principal.name, now)
  }
  requireRole(principal, roles)
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
