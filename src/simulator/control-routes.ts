/**
 * The control over HTTP, under a prefix the platform never uses.
 *
 *   GET    /__simulator                    these routes
 *   POST   /__simulator/reset
 *   GET    /__simulator/faults             POST adds one, PUT replaces all, DELETE removes all
 *   DELETE /__simulator/faults/{id}
 *   POST   /__simulator/routing            { frozen }
 *   POST   /__simulator/tokens/revoke      { clientId? }
 *   POST   /__simulator/clock              { advanceMs }
 *   PATCH  /__simulator/options            any part of Behaviour
 *   GET    /__simulator/received           ?operation= &limit=       DELETE forgets them
 *   GET    /__simulator/sockets            ?id= &operation= &subject=
 *   POST   /__simulator/sockets/drop       { id?, operation?, subject?, code?, reason? }
 *   POST   /__simulator/sockets/freeze     { id?, operation?, subject?, frozen? }
 *   POST   /__simulator/sockets/push       { id?, operation?, subject?, frame }
 *   POST   /__simulator/conversations/{id}/messages  { text?, author?, content? }
 *   POST   /__simulator/conversations/{id}/join      { nickname?, … }
 *   POST   /__simulator/conversations/{id}/typing, /close, /expire, /displace, /forget
 *   GET    /__simulator/state
 *   GET    /__simulator/coverage
 */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { type Control, UnknownConversationError } from './control.ts'
import type { SocketControl } from './control-sockets.ts'
import type { Agent } from './conversation.ts'
import type { FaultRequest } from './fault-rules.ts'
import type { BehaviourChange } from './switches/behaviour.ts'

const ById = z.object({ id: z.string() })
const Freezing = z.strictObject({ frozen: z.boolean() })
const Revocation = z.strictObject({ clientId: z.string().optional() })
const Advance = z.strictObject({ advanceMs: z.int().nonnegative() })
const Joining = z.strictObject({
  id: z.string().optional(),
  nickname: z.string().optional(),
  firstName: z.string().optional(),
  lastName: z.string().optional(),
})
const Listing = z.strictObject({
  operation: z.string().optional(),
  limit: z.coerce.number().int().positive().default(1_000),
})

/** Registered as a plugin, so that bodies and errors here are the control's own and not the platform's. */
export async function controlRoutes(
  app: FastifyInstance,
  { control }: { control: Control },
): Promise<void> {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, body === '' ? undefined : JSON.parse(String(body)))
    } catch {
      done(Object.assign(new Error('the body is not JSON'), { statusCode: 400 }), undefined)
    }
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const unreadable = error instanceof z.ZodError ? z.prettifyError(error) : undefined
    const missing = error instanceof UnknownConversationError
    const status = error.statusCode ?? (unreadable ? 400 : missing ? 404 : 500)
    return reply.code(status).send({ message: unreadable ?? error.message })
  })

  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(`${method} ${url}`)
  })
  app.setNotFoundHandler((request, reply) =>
    reply.code(404).send({
      message: `there is no ${request.method} ${request.url}; GET ${app.prefix} lists what there is`,
    }),
  )

  app.post('/reset', () => {
    control.reset()
    return { ok: true }
  })

  app.get('/faults', () => ({ items: control.faults.list() }))
  app.post('/faults', (request, reply) => {
    reply.code(201)
    return control.faults.add(request.body as FaultRequest)
  })
  app.put('/faults', (request) => {
    const wanted = z.array(z.unknown()).parse(request.body)
    control.faults.remove()
    return { items: wanted.map((fault) => control.faults.add(fault as FaultRequest)) }
  })
  app.delete('/faults', () => ({ removed: control.faults.remove() }))
  app.delete('/faults/:id', (request) => ({
    removed: control.faults.remove(ById.parse(request.params).id),
  }))

  app.post('/routing', (request) => {
    const { frozen } = Freezing.parse(request.body)
    control.freezeRouting(frozen)
    return { frozen }
  })
  app.post('/tokens/revoke', (request) => ({
    revoked: control.revokeTokens(Revocation.parse(request.body ?? {}).clientId),
  }))
  app.post('/clock', (request) => {
    control.advanceClock(Advance.parse(request.body).advanceMs)
    return control.state()
  })
  app.patch('/options', (request) => control.configure(request.body as BehaviourChange))

  app.get('/received', (request) => {
    const { operation, limit } = Listing.parse(request.query)
    return { items: control.received.list(operation).slice(-limit) }
  })
  app.delete('/received', () => {
    control.received.clear()
    return { ok: true }
  })

  app.get('/sockets', (request) => ({
    items: control.sockets.list(request.query as Parameters<SocketControl['list']>[0]),
  }))
  app.post('/sockets/drop', (request) => ({
    hit: control.sockets.drop(request.body as Parameters<SocketControl['drop']>[0]),
  }))
  app.post('/sockets/freeze', (request) => ({
    hit: control.sockets.freeze(request.body as Parameters<SocketControl['freeze']>[0]),
  }))
  app.post('/sockets/push', (request) => ({
    hit: control.sockets.push(request.body as Parameters<SocketControl['push']>[0]),
  }))

  app.post('/conversations/:id/messages', (request, reply) => {
    reply.code(201)
    const { id } = ById.parse(request.params)
    return control.say(id, request.body as Parameters<Control['say']>[1])
  })
  app.post('/conversations/:id/join', (request) => {
    control.join(ById.parse(request.params).id, Joining.parse(request.body ?? {}) as Partial<Agent>)
    return { ok: true }
  })
  for (const [path, act] of [
    ['typing', control.type],
    ['close', control.close],
    ['expire', control.expire],
    ['displace', control.displace],
    ['forget', control.forget],
  ] as const) {
    app.post(`/conversations/:id/${path}`, (request) => {
      act(ById.parse(request.params).id)
      return { ok: true }
    })
  }

  app.get('/state', () => control.state())
  app.get('/coverage', () => control.coverage())
  app.get('/', () => ({ routes }))
}
