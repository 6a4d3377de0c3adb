/** Builds the gateway once, in order; stopping is the same list backwards. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { type Clock, systemClock } from './clock.ts'
import { GenesysClient } from './genesys/client.ts'
import type { Dialect } from './genesys/dialect.ts'
import { dialects, missingSettings } from './genesys/dialects/index.ts'
import { Files } from './genesys/files.ts'
import { registerPlatformWebhook } from './genesys/platform-webhooks.ts'
import { Dialer } from './genesys/socket.ts'
import { ApiKeys } from './http/auth.ts'
import { buildApp } from './http/build-app.ts'
import { Idempotency } from './http/idempotency.ts'
import { Origins } from './http/origins.ts'
import { ApiRateLimiter } from './http/rate-limit.ts'
import { Connections } from './http/streams/connections.ts'
import { StreamTokens } from './http/streams/stream-tokens.ts'
import { logEvents } from './insight/event-log.ts'
import { Metrics } from './insight/metrics.ts'
import { Stats } from './insight/stats.ts'
import { dialectView, notReady, webhooksOf } from './operator-views.ts'
import { embeddedSimulator, platformOf } from './platform.ts'
import { Activation } from './sessions/activation.ts'
import { Bridges } from './sessions/bridges.ts'
import { carryByRest } from './sessions/carrier.ts'
import { Feed } from './sessions/feed.ts'
import { upstreamIdsOf } from './sessions/known-messages.ts'
import { confirm, noteReceipt } from './sessions/late-truth.ts'
import { readMissed } from './sessions/missed.ts'
import { Policy } from './sessions/policy.ts'
import { reconnect } from './sessions/reconnect.ts'
import { recover } from './sessions/recovery.ts'
import { SessionRegistry } from './sessions/registry.ts'
import { Retention } from './sessions/retention.ts'
import { Rotation } from './sessions/rotation.ts'
import { Sender } from './sessions/sender.ts'
import { type DialectName, dialectNames, type Session } from './sessions/session.ts'
import { Sessions } from './sessions/sessions.ts'
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

  const store = stack.use(await openStore({ ...settings.store, log: logger }))
  const simulator =
    settings.mode === 'simulator' ? stack.use(await embeddedSimulator(settings)) : null
  const platform = platformOf(settings, simulator)

  const metrics: Metrics = new Metrics({
    sessions: () => stats.read().sessions,
    queueDepth: () => sender.depth,
    quota: () => client.quota(),
  })
  const client = stack.use(
    new GenesysClient({
      ...settings.genesys,
      ...platform,
      clock,
      log: logger,
      onCall: ({ operation, dialect, status, code, attempts, durationMs }) =>
        metrics.call(operation, dialect, String(status ?? code ?? 'aborted'), attempts, durationMs),
    }),
  )

  const origins = new Origins(settings.http.allowedOrigins)
  const stats = stack.use(await Stats.open(store, clock))
  stack.defer(logEvents(store, logger))
  const registry = new SessionRegistry(store)
  const feed = stack.use(new Feed(store))
  const dialectOf = (session: Session): Dialect => dialects[session.dialect]
  const configured = (name: DialectName): Dialect | undefined =>
    missingSettings(dialects[name], platform.dialects).length === 0 ? dialects[name] : undefined
  const activation = stack.use(
    new Activation({
      registry,
      feed,
      clock,
      dialectOf,
      client,
      timeoutMs: settings.genesys.timeoutMs,
      onTrouble: (sessionId, err) =>
        logger.warn({ sessionId, err }, 'activation could not be asked for'),
    }),
  )
  const trouble = (text: string) => (sessionId: string, err: unknown) =>
    logger.warn({ sessionId, err }, text)
  const rotation = stack.use(
    new Rotation({
      registry,
      client,
      clock,
      dialectOf,
      timeoutMs: settings.genesys.timeoutMs,
      onTrouble: trouble('the guest token could not be rotated'),
      onEnd: (sessionId) => {
        bridges.end(sessionId)
        sender.wake(sessionId)
      },
    }),
  )
  const dialer = stack.use(new Dialer(clock))
  const bridges = stack.use(
    new Bridges({
      registry,
      clock,
      dialer,
      dialectOf,
      hosts: platform.sockets,
      ackTimeoutMs: settings.sessions.ackTimeoutMs,
      files: stack.use(new Files(settings.webhooks.allowPrivate)),
      maxAttachmentBytes: settings.policy.maxAttachmentBytes,
      frameIntervalMs: settings.sessions.frameIntervalMs,
      knownIds: (sessionId) => upstreamIdsOf(store, sessionId),
      refresh: async (sessionId) => void (await rotation.rotate(sessionId)),
      missed: (asker, session) =>
        readMissed(
          asker,
          session,
          dialectOf(session),
          (...read) => client.readAsGuest(...read),
          () => clock.now(),
        ),
      confirm: (sessionId, evidence) => confirm({ store, registry, clock }, sessionId, evidence),
      onReceipt: (sessionId, news) => noteReceipt({ store, registry, clock }, sessionId, news),
      onTyping: (sessionId) => feed.typing(sessionId),
      onTrouble: trouble('the stream to the platform had trouble'),
    }),
  )
  const byRest = carryByRest(client)
  const sender = new Sender({
    registry,
    activation,
    carry: (dialect, session, text, flight) =>
      (dialect.sendMessage ? byRest : bridges.carry)(dialect, session, text, flight),
    clock,
    dialectOf,
    activationMs: settings.sessions.activationTimeoutMs,
    attemptMs: settings.sessions.sendTimeoutMs,
    onSettled: (error) => metrics.settled(error?.code ?? 'sent'),
    onTrouble: ({ id: messageId, sessionId }, err) =>
      logger.error({ messageId, sessionId, err }, 'message could not be handled; it stays in line'),
  })
  const policy = new Policy(settings.policy)
  const sessions = new Sessions({
    store,
    registry,
    feed,
    activation,
    sender,
    bridges,
    rotation,
    policy,
    client,
    clock,
    settings: platform.dialects,
    strictConsentRegions: settings.sessions.strictConsentRegions,
    requireOrigin: (origin) => origins.require(origin),
    dialect: configured,
    callTimeoutMs: settings.sessions.sendTimeoutMs,
  })
  stack.use(new Retention(store, clock, settings.sessions.retentionMs, logger))

  const webhooks = stack.use(
    await Dispatcher.open(
      {
        store,
        guestOf: (sessionId) => registry.find(sessionId),
        clock,
        receivers: stack.use(new Receivers(settings.webhooks.allowPrivate)),
        allowPrivate: settings.webhooks.allowPrivate,
        onTrouble: (webhookId, err) => logger.warn({ webhookId, err }, 'a webhook had trouble'),
      },
      webhooksOf(settings),
    ),
  )

  const generatedKey =
    settings.http.apiKeys.length === 0 ? randomBytes(24).toString('base64url') : null
  const keys = generatedKey ? [apiKeyOf('generated', 'admin', generatedKey)] : settings.http.apiKeys
  let draining = false
  const connections = new Connections()
  const apiKeys = new ApiKeys(keys)
  const app = buildApp({
    logger,
    clock,
    version,
    keys: apiKeys,
    limiter: new ApiRateLimiter(settings.http.rateLimit),
    trustProxy: settings.http.trustProxy,
    isDraining: () => draining,
    onAnswered: (...answered) => metrics.request(...answered),
    sessions,
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
    registerPlatformWebhook: (asked) =>
      registerPlatformWebhook({ client, clock, timeoutMs: settings.sessions.sendTimeoutMs }, asked),
    patienceMs: sender.callerPatienceMs,
    defaults: settings.sessions,
    playground: settings.mode === 'simulator',
    metrics,
    stats: () => ({
      ...stats.read(),
      quota: client.quota().map((quota) => ({
        ...quota,
        pausedUntil: quota.pausedUntil === null ? null : new Date(quota.pausedUntil).toISOString(),
      })),
      streams: { upstream: bridges.open, downstream: connections.size },
      webhooks: webhooks.backlog(),
    }),
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
    const stopped = Promise.all([sender.stop(), sessions.release()])
    connections.endAll()
    await Promise.race([stopped, grace.promise])
    cancel()
  })

  const recovered = await recover({ store, registry, activation, sender, now: () => clock.now() })
  if (recovered.sessions > 0) logger.info(recovered, 'took up what an earlier process left')
  const streams = await reconnect({
    store,
    registry,
    bridges,
    rotation,
    dialects: Object.values(dialects),
    now: () => clock.now(),
  })
  if (streams.redialled + streams.lost > 0) logger.info(streams, 'took up streams')
  const url = await app.listen({ host: settings.http.host, port: settings.http.port })
  stack.defer(clock.after(warmUpMs, () => policy.warmUp()))
  // Readiness shows what is wrong with the credentials before the first guest is made.
  client
    .warmUp([dialects[settings.sessions.defaultDialect]])
    .catch((err: unknown) => logger.error({ err }, 'no token from the platform yet'))

  const owned = stack.move()
  return {
    url,
    generatedKey,
    simulatorUrl: simulator?.url ?? null,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
