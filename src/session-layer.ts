/** Builds what carries sessions, in order: each part is stopped before those it stands on. */
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import { GatewayError } from './errors.ts'
import type { GenesysClient } from './genesys/client.ts'
import type { Dialect } from './genesys/dialect.ts'
import { dialects, missingSettings } from './genesys/dialects/index.ts'
import { Files } from './genesys/files.ts'
import { Dialer } from './genesys/socket.ts'
import type { Platform } from './platform.ts'
import { Activation } from './sessions/activation.ts'
import { Bridges } from './sessions/bridges.ts'
import type { Caller } from './sessions/caller.ts'
import { carryByRest } from './sessions/carrier.ts'
import { eraseData, finishErasures } from './sessions/erase-data.ts'
import { Feed } from './sessions/feed.ts'
import { heardUpTo, upstreamIdsOf } from './sessions/known-messages.ts'
import { confirm, learn, noteReceipt } from './sessions/late-truth.ts'
import { Messages } from './sessions/messages.ts'
import { readMissed } from './sessions/missed.ts'
import { Policy } from './sessions/policy.ts'
import { reconnect } from './sessions/reconnect.ts'
import { recover } from './sessions/recovery.ts'
import { SessionRegistry } from './sessions/registry.ts'
import { Retention } from './sessions/retention.ts'
import { Rotation } from './sessions/rotation.ts'
import { Sender } from './sessions/sender.ts'
import type { DialectName, Session } from './sessions/session.ts'
import { Sessions } from './sessions/sessions.ts'
import type { Settings } from './settings.ts'
import type { Store } from './store/store.ts'
import type { Tracer } from './tracing.ts'

export interface SessionLayerDeps {
  store: Store
  client: GenesysClient
  clock: Clock
  logger: Logger
  settings: Settings
  platform: Platform
  tracer: Tracer | undefined
  /** Throws `origin-not-allowed`. */
  requireOrigin(origin: string): void
  /** Told how long each message was in line before it first left, milliseconds. */
  onLeaving(waitedMs: number): void
  /** Told how each message ended: `sent`, or an error code. */
  onSettled(outcome: string): void
}

export interface SessionLayer {
  sessions: Sessions
  messages: Messages
  /** Takes what the guest is and said out of a session, for good. Throws `session-not-found`. */
  eraseData(id: string, caller: Caller): Promise<Session>
  registry: SessionRegistry
  feed: Feed
  sender: Sender
  bridges: Bridges
  policy: Policy
  /** Goes on with what an earlier process left. Once, before anything new is taken in. */
  takeUp(): Promise<void>
}

export function openSessionLayer(
  stack: AsyncDisposableStack,
  deps: SessionLayerDeps,
): SessionLayer {
  const { store, client, clock, logger, settings, platform, tracer } = deps
  const registry = stack.use(new SessionRegistry(store))
  const feed = stack.use(new Feed(store))
  const dialectOf = (session: Session): Dialect => dialects[session.dialect]
  const dialect = (name: DialectName): Dialect => {
    const missing = missingSettings(dialects[name], platform.dialects)
    if (missing.length === 0) return dialects[name]
    const detail = `The dialect ${name} is not configured here; missing: ${missing.join(', ')}`
    throw new GatewayError('dialect-not-configured', detail)
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
  const dialer = stack.use(new Dialer(clock, tracer))
  const bridges = stack.use(
    new Bridges({
      registry,
      tracer,
      clock,
      dialer,
      dialectOf,
      hosts: platform.sockets,
      ackTimeoutMs: settings.sessions.ackTimeoutMs,
      files: stack.use(new Files(settings.webhooks.allowPrivate)),
      maxAttachmentBytes: settings.policy.maxAttachmentBytes,
      frameIntervalMs: settings.sessions.frameIntervalMs,
      knownIds: (sessionId) => upstreamIdsOf(store, sessionId),
      heardUpTo: (sessionId, lastOrdinal) => heardUpTo(store, sessionId, lastOrdinal),
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
      onLearned: (sessionId, patch) => learn({ registry, clock }, sessionId, patch),
      onTyping: (sessionId) => feed.typing(sessionId),
      onTrouble: trouble('the stream to the platform had trouble'),
      onUnknown: (sessionId, frame) =>
        logger.debug({ sessionId, frame }, 'the platform said something that means nothing here'),
    }),
  )
  const byRest = carryByRest(client)
  const sender = new Sender({
    registry,
    activation,
    tracer,
    carry: (dialect, session, text, flight) =>
      (dialect.sendMessage ? byRest : bridges.carry)(dialect, session, text, flight),
    clock,
    dialectOf,
    activationMs: settings.sessions.activationTimeoutMs,
    attemptMs: settings.sessions.sendTimeoutMs,
    onLeaving: (waitedMs) => deps.onLeaving(waitedMs),
    onSettled: (error) => deps.onSettled(error?.code ?? 'sent'),
    onTrouble: ({ id: messageId, sessionId }, err) =>
      logger.error({ messageId, sessionId, err }, 'message could not be handled; it stays in line'),
  })
  const policy = new Policy(settings.policy)
  const sessions = new Sessions({
    store,
    registry,
    activation,
    sender,
    bridges,
    rotation,
    client,
    clock,
    settings: platform.dialects,
    strictConsentRegions: settings.sessions.strictConsentRegions,
    requireOrigin: (origin) => deps.requireOrigin(origin),
    dialect,
    callTimeoutMs: settings.sessions.sendTimeoutMs,
  })
  const messages = new Messages({ store, registry, feed, sender, policy, clock, dialect })
  const { retentionMs: sessionMs, auditRetentionMs: auditMs } = settings.sessions
  stack.use(new Retention(store, registry, clock, { sessionMs, auditMs }, logger))
  const close = sessions.close.bind(sessions)

  return {
    sessions,
    messages,
    eraseData: (id, caller) => eraseData({ store, registry, clock, close }, id, caller),
    registry,
    feed,
    sender,
    bridges,
    policy,
    takeUp: async () => {
      const erasures = await finishErasures(store, trouble('an erasure could not be ended'))
      if (erasures > 0) logger.info({ erasures }, 'ended erasures that were begun')
      const recovered = await recover({
        store,
        registry,
        activation,
        sender,
        now: () => clock.now(),
      })
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
    },
  }
}
