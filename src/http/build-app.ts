import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from '../webhooks/dispatcher.ts'
import type { MessageAnswerDeps } from './answer-message.ts'
import { describeApi, openApiRoutes } from './openapi.ts'
import { changeConsentRoute } from './routes/change-consent.ts'
import { closeSessionRoute } from './routes/close-session.ts'
import { type CreateSessionDeps, createSessionRoute } from './routes/create-session.ts'
import { createStreamTokenRoute, type StreamTokenDeps } from './routes/create-stream-token.ts'
import { type EraseDataDeps, eraseDataRoute } from './routes/erase-data.ts'
import { getMessageRoute } from './routes/get-message.ts'
import { getMetricsRoute, type MetricsSource } from './routes/get-metrics.ts'
import { getSessionRoute } from './routes/get-session.ts'
import { getStatsRoute, type StatsDeps } from './routes/get-stats.ts'
import { getTimelineRoute, type TimelineSource } from './routes/get-timeline.ts'
import { healthRoutes, type NotReady } from './routes/health.ts'
import { injectBatchRoute } from './routes/inject-batch.ts'
import { injectMessageRoute } from './routes/inject-message.ts'
import { type AuditDeps, listAuditRoute } from './routes/list-audit.ts'
import { listDialectsRoute } from './routes/list-dialects.ts'
import { listMessagesRoute } from './routes/list-messages.ts'
import { listSessionsRoute } from './routes/list-sessions.ts'
import { openSessionSocketRoute } from './routes/open-session-socket.ts'
import { type PagesDeps, pageRoutes } from './routes/pages.ts'
import { problemPagesRoute } from './routes/problem-pages.ts'
import { refreshSessionRoute } from './routes/refresh-session.ts'
import {
  type PlatformWebhookDeps,
  registerPlatformWebhookRoute,
} from './routes/register-platform-webhook.ts'
import { retryMessageRoute } from './routes/retry-message.ts'
import { showTypingRoute } from './routes/show-typing.ts'
import {
  type StreamDeps,
  streamAllEventsRoute,
  streamSessionEventsRoute,
} from './routes/stream-events.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { type App, createServer, type ServerDeps } from './server.ts'
import { acceptUpgrades } from './streams/upgrade.ts'

export interface AppDeps
  extends ServerDeps,
    CreateSessionDeps,
    MessageAnswerDeps,
    StreamTokenDeps,
    StreamDeps,
    AuditDeps,
    EraseDataDeps,
    PlatformWebhookDeps,
    TimelineSource,
    PagesDeps,
    StatsDeps {
  webhooks: Dispatcher
  version: string
  dialects: Parameters<typeof listDialectsRoute>[1]['read']
  metrics: MetricsSource
  notReady: NotReady
}

/** The server with every route on it, not listening yet. */
export function buildApp(deps: AppDeps): App {
  const app = createServer(deps)
  describeApi(app as unknown as FastifyInstance, deps.version)
  app.register(async (scope) => {
    const routes = scope as unknown as App
    createSessionRoute(routes, deps)
    listSessionsRoute(routes, deps)
    getSessionRoute(routes, deps)
    getTimelineRoute(routes, deps)
    closeSessionRoute(routes, deps)
    eraseDataRoute(routes, deps)
    injectMessageRoute(routes, deps)
    listMessagesRoute(routes, deps)
    getMessageRoute(routes, deps)
    retryMessageRoute(routes, deps)
    injectBatchRoute(routes, deps)
    refreshSessionRoute(routes, deps)
    changeConsentRoute(routes, deps)
    showTypingRoute(routes, deps)
    createStreamTokenRoute(routes, deps)
    streamSessionEventsRoute(routes, deps)
    streamAllEventsRoute(routes, deps)
    openSessionSocketRoute(routes)
    webhookRoutes(routes, deps)
    registerPlatformWebhookRoute(routes, deps)
    listAuditRoute(routes, deps)
    listDialectsRoute(routes, { read: deps.dialects })
    getStatsRoute(routes, deps)
    getMetricsRoute(routes, deps)
    healthRoutes(routes, deps)
    problemPagesRoute(routes)
    pageRoutes(routes, deps)
    openApiRoutes(routes)
  })
  acceptUpgrades(app as unknown as FastifyInstance, deps)
  return app
}
