/** Fastify's hello world; at `/answer`, an answer of the gateway's, headers and all, without anything being done for it. */
import { fastify } from 'fastify'

const { PORT, ANSWER = '{"headers":{},"body":""}' } = process.env
const { headers, body } = JSON.parse(ANSWER) as { headers: Record<string, string>; body: string }

const app = fastify()
app.get('/', async () => ({ hello: 'world' }))
app.get('/answer', (_request, reply) => {
  reply.headers(headers).send(body)
})
await app.listen({ port: Number(PORT), host: '127.0.0.1' })
process.once('SIGTERM', () => process.exit(0))
