import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { GatewayError } from '../errors.ts'

/**
 * What to answer where no route is: `method-not-allowed` with `Allow` where the path has other methods, else
 * `route-not-found`. Create it before the routes.
 */
export function unknownRoutes(app: FastifyInstance) {
  const known = new Map<string, { pattern: RegExp; methods: Set<string> }>()
  app.addHook('onRoute', ({ url, method }) => {
    if (/^\/?\*$/.test(url)) return
    const path = known.get(url) ?? { pattern: patternOf(url), methods: new Set() }
    known.set(url, path)
    for (const each of [method].flat()) path.methods.add(each)
  })

  return (request: FastifyRequest, reply: FastifyReply): GatewayError => {
    const path = request.url.split('?', 1)[0] ?? ''
    const allowed = [...known.values()]
      .filter(({ pattern }) => pattern.test(path))
      .flatMap(({ methods }) => [...methods])
    // A path can look right and lead nowhere all the same: a file of the docs that is not there.
    if (allowed.length === 0 || allowed.includes(request.method)) {
      return new GatewayError('route-not-found', `There is no ${path.slice(0, maxShownLength)}`)
    }
    reply.header('allow', allowed.join(', '))
    const detail = `${request.method} is not among the methods of this path: ${allowed.join(', ')}`
    return new GatewayError('method-not-allowed', detail)
  }
}

const maxShownLength = 200

/** `/v1/sessions/:sessionId` and `/docs/static/*` as what they match. */
function patternOf(url: string): RegExp {
  const escaped = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replace(/:\w+/g, '[^/]+').replace('*', '.*')}$`)
}
