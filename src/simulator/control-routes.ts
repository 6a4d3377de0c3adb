/**
 * The control over HTTP, under a prefix the platform never uses.
 *
 *   POST   /__simulator/reset
 *   GET    /__simulator/faults             POST adds one, PUT replaces all, DELETE removes all
 *   DELETE /__simulator/faults/{id}
 *   POST   /__simulator/routing            { frozen }
 *   POST   /__simulator/tokens/revoke      { clientId? }
 *   POST   /__simulator/clock              { advanceMs }
 *   PATCH  /__simulator/options            any of Behaviour
 *   GET    /__simulator/received           ?operation= &limit=       DELETE forgets them
 *   POST   /__simulator/conversations/{id}/messages  { text, author? }
 *   POST   /__simulator/conversations/{id}/close
 *   GET    /__simulator/state
 *   GET    /__simulator/coverage
 */
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { type Control, UnknownConversationError } from './control.ts'
import type { FaultRequest } from './faults.ts'
import type { Behaviour } from './options.ts'

const ById = z.object({ id: z.string() })
const Freezing = z.strictObject({ frozen: z.boolean() })
const Revocation = z.strictObject({ clientId: z.string().optional() })
const Advance = z.strictObject({ advanceMs: z.number().nonnegative() })
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
  app.patch('/options', (request) => control.configure(request.body as Partial<Behaviour>))

  app.get('/received', (request) => {
    const { operation, limit } = Listing.parse(request.query)
    return { items: control.received.list(operation).slice(-limit) }
  })
  app.delete('/received', () => {
    control.received.clear()
    return { ok: true }
  })

  app.post('/conversations/:id/messages', (request, reply) => {
    reply.code(201)
    const { id } = ById.parse(request.params)
    return control.say(id, request.body as Parameters<Control['say']>[1])
  })
  app.post('/conversations/:id/close', (request) => {
    control.close(ById.parse(request.params).id)
    return { ok: true }
  })

  app.get('/state', () => control.state())
  app.get('/coverage', () => control.coverage())
}
