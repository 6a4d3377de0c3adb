/** An app that does nothing, with the plugins and libraries the gateway has: what starting costs in any case. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
const [{ fastify }, { serializerCompiler, validatorCompiler }, { z }] = await Promise.all([
  import('fastify'),
  import('fastify-type-provider-zod'),
  import('zod'),
])
const plugins = await Promise.all([
  import('@fastify/helmet'),
  import('@fastify/under-pressure'),
  import('@fastify/swagger'),
  import('@fastify/swagger-ui'),
])
const libraries = [
  'undici',
  'ws',
  'pino',
  'prom-client',
  'bottleneck',
  're2js',
  'cockatiel',
  'uuid',
]
await Promise.all([...libraries, 'node:sqlite'].map((name) => import(name)))

const app = fastify({ logger: true })
app.setValidatorCompiler(validatorCompiler)
app.setSerializerCompiler(serializerCompiler)
for (const { default: plugin } of plugins) app.register(plugin as (typeof plugins)[0]['default'])
const Live = z.object({ status: z.string() })
app.get('/health/live', { schema: { response: { 200: Live } } }, () => ({ status: 'live' }))
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
process.once('SIGTERM', () => process.exit(0))
