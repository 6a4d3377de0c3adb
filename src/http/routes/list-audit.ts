import { Readable } from 'node:stream'
import type { Audit } from '../../insight/audit.ts'
import { principalOf } from '../context.ts'
import { AuditLines, AuditPage, AuditQuery, auditView } from '../schemas/audit.ts'
import { problems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

export interface AuditDeps {
  audit: Audit
}

const linesType = 'application/x-ndjson'

export function listAuditRoute(app: App, { audit }: AuditDeps) {
  app.get(
    '/v1/audit',
    {
      config: { roles: ['ops'] },
      schema: {
        operationId: 'listAudit',
        summary: 'Read the audit',
        description:
          'Oldest first. `Accept: application/x-ndjson` streams every entry that matches, one a line, whatever `limit` and `cursor`; the last line is a signed seal over them, so that an export can be proved without the gateway (`npm run audit:verify -- FILE`).',
        tags: ['Operations'],
        querystring: AuditQuery,
        response: {
          200: {
            description: 'A page of entries, or all of them',
            content: {
              'application/json': { schema: AuditPage },
              [linesType]: { schema: AuditLines },
            },
          },
          ...problems(),
        },
      },
    },
    async (request, reply) => {
      const { limit, cursor, verify, ...filter } = request.query
      if (request.headers.accept?.toLowerCase().includes(linesType)) {
        reply.type(linesType)
        if (request.method === 'HEAD') return reply.send('' as never)
        const lines = audit.export(filter, principalOf(request).name)
        return reply.send(Readable.from(lines) as never)
      }
      const page = await audit.list(filter, { limit, cursor })
      const verification = verify === 'true' ? await audit.verify() : undefined
      const { items, nextCursor } = page
      return reply.send({
        items: items.map(auditView),
        nextCursor,
        ...(verification && { verification }),
      } as never)
    },
  )
}
