/** Builds the gateway once, in order; stopping is the same list backwards. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { type Clock, systemClock } from './clock.ts'
import { openDepartureBook } from './departure-book.ts'
import { GatewayError } from './errors.ts'
import { GenesysClient } from './genesys/client.ts'
import { dialects } from './genesys/dialects/index.ts'
import { registerPlatformWebhook } from './genesys/platform-webhooks.ts'
import { ApiKeys } from './http/auth.ts'
import { buildApp } from './http/build-app.ts'
import { Idempotency } from './http/idempotency.ts'
import { Origins } from './http/origins.ts'
import { ApiRateLimiter } from './http/rate-limit.ts'
import { Connections } from './http/streams/connections.ts'
import { StreamTokens } from './http/streams/stream-tokens.ts'
import { Audit } from './insight/audit.ts'
import { logEvents } from './insight/event-log.ts'
import { Metrics } from './insight/metrics.ts'
import { openTracer } from './insight/open-tracer.ts'
import { Stats } from './insight/stats.ts'
import { keepTrying } from './keep-trying.ts'
import {
  dialectView,
  journalReaders,
  lastHourView,
  notReady,
  statsView,
  webhooksOf,
} from './operator-views.ts'
import { embeddedSimulator, platformOf } from './platform.ts'
import { notePlatform } from './platform-note.ts'
import { platformWebhookBook } from './platform-webhook-book.ts'
import { openSessionLayer } from './session-layer.ts'
import { continueIds } from './sessions/ids.ts'
import { dialectNames } from './sessions/session.ts'
import { readTimeline } from './sessions/timeline.ts'
import { apiKeyOf, type Settings } from './settings.ts'
import { openStore } from './store/open-store.ts'
import { Dispatcher } from './webhooks/dispatcher.ts'
import { Receivers } from './webhooks/receiver.ts'

export interface Overrides {
  clock?: Clock
}

export interface Gateway extends AsyncDisposable {
  /** Where it listens. */
  url: string
  /** The key made because none was configured; shown once. */
  generatedKey: string | null
  /** The embedded simulator, when it is the platform. */
  simulatorUrl: string | null
}

/** What has left for the platform gets so long to come back when the process stops; the client adds two seconds. */
const stopGraceMs = 5000
/** Between tries to get the first token, each of which lasts some 15 seconds where the platform is away. */
const tokenPauseMs = 15_000
/** Nobody sends a message sooner after the start. */
const warmUpMs = 500
/** A connection that is still busy then is broken off. */
const closeGraceMs = 1000

export async function startGateway(
  settings: Settings,
  logger: Logger,
  version: string,
  { clock = systemClock }: Overrides = {},
): Promise<Gateway> {
  await using stack = new AsyncDisposableStack()

  const tracer = await openTracer({ ...settings.tracing, version, clock, log: logger })
  // First, so that it is last to stop: what the others still do on their way out is exported too.
  if (tracer) stack.use(tracer)
  const store = stack.use(await openStore({ ...settings.store, clock, log: logger }))
  await continueIds(store)
  const simulator =
    settings.mode === 'simulator' ? stack.use(await embeddedSimulator(settings)) : null
  const platform = platformOf(settings, simulator)
  await notePlatform(store, simulator ? 'the embedded simulator' : platform.baseUrl, logger)

  const metrics: Metrics = new Metrics({
    sessions: () => stats.read().sessionsByDialect,
    waiting: () => sender.depth,
    quota: () => client.quota(),
    streams: () => openStreams(),
    webhooks: () => webhooks.backlog(),
    readers: async () => journalReaders(stats, webhooks, clock.now()),
  })
  const client = stack.use(
    new GenesysClient({
      ...settings.genesys,
      ...platform,
      departures: await openDepartureBook(store),
      tracer,
      clock,
      log: logger,
      onCall: (outcome) => metrics.call(outcome),
      onTokenCall: (outcome) => metrics.tokenCall(outcome),
    }),
  )

  const origins = new Origins(settings.http.allowedOrigins)
  const stats = stack.use(await Stats.open(store, clock))
  stack.defer(logEvents(store, logger, (sessionId) => bridges.lossOf(sessionId)))
  stack.defer(store.follow((events) => metrics.committed(events)))
  const layer = openSessionLayer(stack, {
    store,
    client,
    clock,
    logger,
    settings,
    platform,
    tracer,
    requireOrigin: (origin) => origins.require(origin),
    onLeaving: (waitedMs) => metrics.leaving(waitedMs),
    onSettled: (outcome) => metrics.settled(outcome),
  })
  const { sessions, messages, registry, feed, sender, bridges, policy, takeUp, eraseData } = layer

  const webhooks = stack.use(
    await Dispatcher.open(
      {
        store,
        guestOf: (sessionId) => registry.find(sessionId),
        clock,
        tracer,
        receivers: stack.use(new Receivers(settings.webhooks.allowPrivate)),
        allowPrivate: settings.webhooks.allowPrivate,
        onTrouble: (webhookId, err) => logger.warn({ webhookId, err }, 'a webhook had trouble'),
        onNotice: (webhookId, text, fields) => logger.warn({ webhookId, ...fields }, text),
      },
      webhooksOf(settings),
    ),
  )

  const generatedKey =
    settings.http.apiKeys.length === 0 ? randomBytes(24).toString('base64url') : null
  const keys = generatedKey ? [apiKeyOf('generated', 'admin', generatedKey)] : settings.http.apiKeys
  let draining = false
  const connections = new Connections(clock)
  const openStreams = () => ({ upstream: bridges.open, downstream: connections.size })
  const apiKeys = new ApiKeys(keys)
  const app = buildApp({
    logger,
    clock,
    version,
    keys: apiKeys,
    tracer,
    limiter: new ApiRateLimiter(settings.http.rateLimit),
    trustProxy: settings.http.trustProxy,
    isDraining: () => draining,
    onAnswered: (...answered) => metrics.request(...answered),
    sessions,
    messages,
    eraseData: async (...asked) => {
      const session = await eraseData(...asked)
      webhooks.readAgain()
      return session
    },
    audit: new Audit(store.audit, clock),
    idempotency: new Idempotency(store, clock, (err) =>
      logger.warn({ err }, 'an answer could not be kept under its Idempotency-Key'),
    ),
    store,
    feed,
    connections,
    origins,
    tokens: new StreamTokens(store.deriveKey('stream tokens'), clock),
    publicUrl: settings.http.publicUrl,
    webhooks,
    timeline: (sessionId, page) =>
      readTimeline(
        { store, registry, triesOf: (eventIds) => webhooks.triesOf(eventIds) },
        sessionId,
        page,
      ),
    registerPlatformWebhook: (asked, { trace, requestId }) => {
      const timeoutMs = settings.sessions.sendTimeoutMs
      const book = platformWebhookBook(store, platform)
      return registerPlatformWebhook({ client, clock, timeoutMs, book, trace, requestId }, asked)
    },
    patienceMs: sender.callerPatienceMs,
    defaults: settings.sessions,
    playground: settings.mode === 'simulator',
    metrics,
    stats: async () =>
      statsView(stats.read(), {
        waiting: sender.depth,
        quota: client.quota(),
        streams: openStreams(),
        webhooks: await webhooks.backlog(),
      }),
    lastHour: () => lastHourView(stats.readLastHour()),
    dialects: () =>
      dialectNames.map((name) =>
        dialectView(dialects[name], settings.sessions.defaultDialect, platform.dialects),
      ),
    notReady: () => [
      ...(draining ? ['the process is stopping'] : []),
      ...notReady(client, store.trouble()),
    ],
  })
  stack.defer(async () => {
    const cancel = clock.after(closeGraceMs, () => app.server.closeAllConnections())
    await app.close()
    cancel()
  })
  // Before the server is closed: who still waits for a platform that hangs is answered.
  stack.defer(() => client[Symbol.asyncDispose]())
  stack.defer(async () => {
    draining = true
    const grace = Promise.withResolvers<void>()
    const cancel = clock.after(stopGraceMs, grace.resolve)
    const stopped = sender.stop()
    sessions.release()
    messages.release()
    connections.endAll()
    await Promise.race([stopped, grace.promise])
    cancel()
  })

  await takeUp()
  const url = await app.listen({ host: settings.http.host, port: settings.http.port })
  stack.defer(clock.after(warmUpMs, () => policy.warmUp()))
  // Readiness shows what is wrong with the credentials before the first guest is made, and when it no longer is: while
  // it says no, there may be no guests that ask for a token. Each refusal is logged where it is met.
  const warmUp = () => client.warmUp([dialects[settings.sessions.defaultDialect]])
  const onFailure = (err: unknown) => {
    if (!(err instanceof GatewayError)) logger.error({ err }, 'no token could be asked for')
  }
  stack.defer(keepTrying(warmUp, { clock, pauseMs: tokenPauseMs, onFailure }))

  const owned = stack.move()
  return {
    url,
    generatedKey,
    simulatorUrl: simulator?.url ?? null,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
