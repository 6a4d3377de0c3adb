/** Builds the gateway once, in order; stopping is the same list backwards. */
import { randomBytes } from 'node:crypto'
import type { Logger } from 'pino'
import { type Clock, systemClock } from './clock.ts'
import { GatewayError } from './errors.ts'
import { GenesysClient } from './genesys/client.ts'
import type { Dialect, DialectSettings } from './genesys/dialect.ts'
import { dialects } from './genesys/dialects/index.ts'
import { hostsOf } from './genesys/regions.ts'
import { ApiKeys } from './http/auth.ts'
import { buildApp } from './http/build-app.ts'
import { Idempotency } from './http/idempotency.ts'
import { ApiRateLimiter } from './http/rate-limit.ts'
import { logEvents } from './insight/event-log.ts'
import { Metrics } from './insight/metrics.ts'
import { Stats } from './insight/stats.ts'
import { Activation } from './sessions/activation.ts'
import { carryByRest } from './sessions/carrier.ts'
import { Feed } from './sessions/feed.ts'
import { Policy } from './sessions/policy.ts'
import { recover } from './sessions/recovery.ts'
import { SessionRegistry } from './sessions/registry.ts'
import { Retention } from './sessions/retention.ts'
import { Sender } from './sessions/sender.ts'
import { type DialectName, dialectNames, type Session } from './sessions/session.ts'
import { Sessions } from './sessions/sessions.ts'
import { apiKeyOf, type Settings } from './settings.ts'
import { startSimulator } from './simulator/simulator.ts'
import { openStore } from './store/open-store.ts'

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

/** What has left for the platform gets so long to come back when the process stops. */
const stopGraceMs = 8000

export async function startGateway(
  settings: Settings,
  logger: Logger,
  version: string,
  { clock = systemClock }: Overrides = {},
): Promise<Gateway> {
  await using stack = new AsyncDisposableStack()

  const store = stack.use(await openStore({ ...settings.store, log: logger }))
  const simulator =
    settings.mode === 'simulator' ? stack.use(await startSimulator(settings.simulator)) : null
  const hosts = hostsOf(settings.genesys.region)
  const baseUrl = simulator?.url ?? settings.genesys.baseUrl ?? hosts.api
  const loginUrl =
    settings.genesys.loginUrl ?? simulator?.url ?? settings.genesys.baseUrl ?? hosts.login

  const metrics: Metrics = new Metrics({
    sessions: () => stats.read().sessions,
    queueDepth: () => sender.depth,
    quota: () => client.quota(),
  })
  const client = stack.use(
    new GenesysClient({
      ...settings.genesys,
      baseUrl,
      loginUrl,
      clients: simulator?.clients ?? settings.genesys.clients,
      clock,
      log: logger,
      onCall: ({ operation, dialect, status, code, attempts, durationMs }) =>
        metrics.call(operation, dialect, String(status ?? code ?? 'aborted'), attempts, durationMs),
    }),
  )

  const stats = stack.use(await Stats.open(store, clock))
  stack.defer(logEvents(store, logger))
  const registry = new SessionRegistry(store)
  const feed = stack.use(new Feed(store))
  const dialectOf = (session: Session): Dialect => {
    const dialect = dialects[session.dialect]
    if (dialect) return dialect
    throw new GatewayError('dialect-not-configured', `${session.dialect} is not configured here`)
  }
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
  const sender = new Sender({
    registry,
    activation,
    carry: carryByRest(client),
    clock,
    dialectOf,
    callerPatienceMs: Math.max(
      settings.sessions.activationTimeoutMs,
      settings.sessions.sendTimeoutMs,
    ),
    attemptMs: settings.sessions.sendTimeoutMs,
    onSettled: (error) => metrics.settled(error?.code ?? 'sent'),
    onTrouble: ({ id: messageId, sessionId }, err) =>
      logger.error({ messageId, sessionId, err }, 'message could not be handled; it stays in line'),
  })
  const callerPatienceMs = sender.callerPatienceMs
  const sessions = new Sessions({
    store,
    registry,
    feed,
    activation,
    sender,
    policy: new Policy(settings.policy),
    client,
    clock,
    settings: dialectSettings(settings),
    dialect: (name) => dialects[name],
    callTimeoutMs: settings.sessions.sendTimeoutMs,
    callerPatienceMs,
  })
  stack.use(new Retention(store, clock, settings.sessions.retentionMs, logger))

  const generatedKey =
    settings.http.apiKeys.length === 0 ? randomBytes(24).toString('base64url') : null
  const keys = generatedKey ? [apiKeyOf('generated', 'admin', generatedKey)] : settings.http.apiKeys
  let draining = false
  const app = buildApp({
    logger,
    clock,
    version,
    keys: new ApiKeys(keys),
    limiter: new ApiRateLimiter(settings.http.rateLimit),
    trustProxy: settings.http.trustProxy,
    isDraining: () => draining,
    onAnswered: (...answered) => metrics.request(...answered),
    sessions,
    idempotency: new Idempotency(store, clock),
    patienceMs: callerPatienceMs,
    defaults: settings.sessions,
    metrics,
    stats: () => ({
      ...stats.read(),
      quota: client.quota().map((quota) => ({
        ...quota,
        pausedUntil: quota.pausedUntil === null ? null : new Date(quota.pausedUntil).toISOString(),
      })),
      streams: { upstream: 0, downstream: 0 },
      webhooks: { pending: 0, deadLettered: 0 },
    }),
    dialects: () => dialectNames.map((name) => dialectView(name, settings.sessions.defaultDialect)),
    notReady: () => [
      ...(draining ? ['the process is stopping'] : []),
      ...notReady(client, store.trouble()),
    ],
  })
  stack.defer(() => app.close())
  stack.defer(async () => {
    draining = true
    const grace = Promise.withResolvers<void>()
    const cancel = clock.after(stopGraceMs, grace.resolve)
    const stopped = sender.stop()
    sessions.release()
    await Promise.race([stopped, grace.promise])
    cancel()
  })

  const recovered = await recover({ store, registry, activation, sender, now: () => clock.now() })
  if (recovered.sessions > 0) logger.info(recovered, 'took up what an earlier process left')
  const url = await app.listen({ host: settings.http.host, port: settings.http.port })
  // Readiness shows what is wrong with the credentials before the first guest is made.
  const first = dialects[settings.sessions.defaultDialect]
  if (first) {
    client
      .warmUp([first])
      .catch((err: unknown) => logger.error({ err }, 'no token from the platform yet'))
  }

  const owned = stack.move()
  return {
    url,
    generatedKey,
    simulatorUrl: simulator?.url ?? null,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function dialectSettings({ sessions }: Settings): DialectSettings {
  return {
    GENESYS_CHANNEL_CONFIG_ID: sessions.channelConfigId,
    GENESYS_DEPLOYMENT_ID: sessions.deploymentId,
    GENESYS_TARGET_QUEUE_ID: sessions.queueId,
  }
}

function dialectView(name: DialectName, defaultDialect: DialectName) {
  const dialect = dialects[name]
  return {
    name,
    configured: dialect !== undefined,
    missing: dialect ? [] : ['this version does not speak it'],
    default: name === defaultDialect,
    scopes: [...(dialect?.scopes ?? [])],
    capabilities: dialect
      ? { ...dialect.capabilities, authors: [...dialect.capabilities.authors] }
      : null,
  }
}

function notReady(client: GenesysClient, storeTrouble: string | undefined): string[] {
  const { token, missingScopes } = client.health()
  const reasons = Object.entries(missingScopes).map(
    ([id, scopes]) => `OAuth client ${id} lacks the scopes ${scopes.join(', ')}`,
  )
  if (token === 'none') reasons.push('no token from the platform yet')
  else if (token !== 'ok') reasons.push(`token: ${token}`)
  if (storeTrouble) reasons.push(`store: ${storeTrouble}`)
  return reasons
}
