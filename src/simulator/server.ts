/** HTTP in front of a world: which request belongs to which operation. `exchange.ts` does the rest. */
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { Exchange } from './exchange.ts'
import { codeOfStatus, platformError } from './platform-error.ts'
import { notFound } from './refusals.ts'
import type { RunningWorld } from './running-world.ts'
import type { Operation } from './surface.ts'

/** The platform's limit on a request body, bytes. */
const bodyLimit = 512_000

/** Answers platform requests from whatever world is there when they come. Control routes are added by the caller. */
export function createServer(world: () => RunningWorld): FastifyInstance {
  const app = fastify({ bodyLimit, forceCloseConnections: true, exposeHeadRoutes: false })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  for (const [name, { method, path, bodyLimit: limit }] of world().operations) {
    app.route({
      method,
      url: path,
      ...(limit !== undefined && { bodyLimit: limit }),
      config: { operation: name },
      handler: (request, reply) => {
        const now = world()
        const operation = now.operations.get(name) ?? nowhere
        return new Exchange(now, name, request, reply).serve(operation)
      },
    })
  }
  app.setNotFoundHandler((request, reply) =>
    new Exchange(world(), 'unknown', request, reply).serve(nowhere),
  )
  app.setErrorHandler((error: { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    const refusal = platformError(status, codeOfStatus(status), 'The request could not be read')
    return new Exchange(world(), operationOf(request), request, reply).finish(refusal)
  })
  return app
}

const nowhere: Operation = {
  name: 'unknown',
  method: 'GET',
  path: '',
  access: 'open',
  answer: notFound,
}

function operationOf(request: FastifyRequest): string {
  const { operation } = request.routeOptions.config as { operation?: string }
  return operation ?? 'unknown'
}
