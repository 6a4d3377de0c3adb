import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from '../webhooks/dispatcher.ts'
import type { MessageAnswerDeps } from './answer-message.ts'
import { changeConsentRoute } from './routes/change-consent.ts'
import { closeSessionRoute } from './routes/close-session.ts'
import { type CreateSessionDeps, createSessionRoute } from './routes/create-session.ts'
import { createStreamTokenRoute, type StreamTokenDeps } from './routes/create-stream-token.ts'
import { docsRoutes } from './routes/docs.ts'
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
  app.register(async (scope) => {
    addRoutes(scope as unknown as App, deps)
    docsRoutes(scope, async () => {
      const { describedApp } = await import('./openapi.ts')
      return describedApp((described) => addRoutes(described, deps), deps.version)
    })
  })
  acceptUpgrades(app as unknown as FastifyInstance, deps)
  return app
}

/** All routes but those that describe them. */
export function addRoutes(app: App, deps: AppDeps): void {
  createSessionRoute(app, deps)
  listSessionsRoute(app, deps)
  getSessionRoute(app, deps)
  getTimelineRoute(app, deps)
  closeSessionRoute(app, deps)
  eraseDataRoute(app, deps)
  injectMessageRoute(app, deps)
  listMessagesRoute(app, deps)
  getMessageRoute(app, deps)
  retryMessageRoute(app, deps)
  injectBatchRoute(app, deps)
  refreshSessionRoute(app, deps)
  changeConsentRoute(app, deps)
  showTypingRoute(app, deps)
  createStreamTokenRoute(app, deps)
  streamSessionEventsRoute(app, deps)
  streamAllEventsRoute(app, deps)
  openSessionSocketRoute(app)
  webhookRoutes(app, deps)
  registerPlatformWebhookRoute(app, deps)
  listAuditRoute(app, deps)
  listDialectsRoute(app, { read: deps.dialects })
  getStatsRoute(app, deps)
  getMetricsRoute(app, deps)
  healthRoutes(app, deps)
  problemPagesRoute(app)
  pageRoutes(app, deps)
}
