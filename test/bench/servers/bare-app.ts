/** An app that does nothing, with the plugins and every library the gateway has, all loaded at start. */
import { readFileSync } from 'node:fs'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import underPressure from '@fastify/under-pressure'
import { fastify } from 'fastify'
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod'
import { z } from 'zod'

const description = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
const { dependencies } = JSON.parse(description) as { dependencies: Record<string, string> }
await Promise.all([...Object.keys(dependencies), 'node:sqlite'].map((name) => import(name)))

const app = fastify({ logger: true })
app.setValidatorCompiler(validatorCompiler)
app.setSerializerCompiler(serializerCompiler)
app.register(underPressure)
app.register(swagger)
app.register(swaggerUi)
const Live = z.object({ status: z.string() })
app.get('/health/live', { schema: { response: { 200: Live } } }, () => ({ status: 'live' }))
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
process.once('SIGTERM', () => process.exit(0))
