/** The least a JSON gateway can do: bare Fastify in, undici's `request` out, the platform's answer back. */
import { fastify } from 'fastify'
import { Pool } from 'undici'
import { guestsPath } from './platform.ts'

const pool = new Pool(process.env.PLATFORM ?? '', { connections: 128, pipelining: 1 })
const headers = { 'content-type': 'application/json' }
const forward = async (path: string, body: unknown) => {
  const answer = await pool.request({ method: 'POST', path, headers, body: JSON.stringify(body) })
  return answer.body.json()
}

const app = fastify()
app.post('/v1/sessions', ({ body }) => forward(guestsPath, body))
app.post<{ Params: { id: string } }>('/v1/sessions/:id/messages', ({ params, body }) =>
  forward(`${guestsPath}/${params.id}/messages`, body),
)
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
process.once('SIGTERM', () => process.exit(0))
