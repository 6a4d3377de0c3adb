import type { TimelineStep } from '../../sessions/timeline.ts'
import type { Page, PageRequest } from '../../store/store.ts'
import { PageQuery, SessionParams } from '../schemas/common.ts'
import { problems } from '../schemas/problem.ts'
import { TimelinePage } from '../schemas/timeline.ts'
import type { App } from '../server.ts'

export interface TimelineSource {
  timeline(sessionId: string, page: PageRequest): Promise<Page<TimelineStep>>
}

export function getTimelineRoute(app: App, { timeline }: TimelineSource) {
  app.get(
    '/v1/sessions/:sessionId/timeline',
    {
      config: { roles: ['app', 'ops'] },
      schema: {
        operationId: 'getTimeline',
        summary: 'Read what happened to a session, step by step',
        description:
          'For support: in order, with times, who asked, outcomes, attempts, the platform’s ids and the trace, and what was tried to tell webhooks. Nothing of what was said; that is in the transcript.',
        tags: ['Sessions'],
        params: SessionParams,
        querystring: PageQuery,
        response: { 200: TimelinePage, ...problems('session-not-found') },
      },
    },
    (request) => timeline(request.params.sessionId, request.query),
  )
}
