/**
 * The OpenAPI 3.1 description, made from the routes' own schemas, and the pages that show it. Nothing needs it before
 * somebody asks, so routes/docs.ts loads it then.
 */
import { readFile } from 'node:fs/promises'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { type FastifyInstance, fastify } from 'fastify'
import { createJsonSchemaTransformObject, jsonSchemaTransform } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Role } from '../settings.ts'
import { rolesTaken } from './auth.ts'
import { type Document, describeOperations } from './openapi-details.ts'
import { plainSchemas } from './openapi-schemas.ts'
import type { App } from './server.ts'
import { schemaController } from './validation.ts'

const description = `One stable REST facade over the guest surfaces of Genesys Cloud: create guest sessions, inject messages, and answer for every one of them.

Errors are RFC 9457 problems; a program needs only \`code\`, \`retryable\` and \`retryAfterSeconds\`, and \`/problems/{code}\` explains each. Beside what an operation lists, a path that does not exist answers 404 \`route-not-found\`, and another method 405 \`method-not-allowed\` with \`Allow\`. What could not be read as an HTTP request answers 400, 408 or 431 with \`invalid-request\`.

Request bodies take no unknown fields. Answers may gain fields within v1, so do not refuse those you do not know. Lists take \`limit\` and \`cursor\`. Every POST under \`/v1/sessions\` takes an \`Idempotency-Key\`. Every GET can be made as HEAD.`

type Transform = typeof jsonSchemaTransform
type Access = { roles?: readonly Role[]; ownAccess?: readonly Role[] }

/** An app that has the routes to describe them, and answers only for what describes them. */
export async function describedApp(
  addRoutes: (app: App) => void,
  version: string,
): Promise<FastifyInstance> {
  const app = fastify({ schemaController })
  describeApi(app, version)
  app.register(async (scope) => {
    addRoutes(scope as unknown as App)
    addPages(scope)
  })
  await app.ready()
  return app
}

/** Before the routes. */
function describeApi(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Genesys guest gateway',
        version,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        contact: { name: 'Whoever runs this gateway' },
      },
      servers: [{ url: '/', description: 'This gateway' }],
      tags: [
        { name: 'Sessions', description: 'Guest sessions and their state' },
        { name: 'Messages', description: 'What is said in them' },
        {
          name: 'Streams',
          description:
            'Events as they happen. [`/asyncapi.yaml`](/asyncapi.yaml) describes them, and the WebSocket `/v1/sessions/{sessionId}/ws`',
        },
        {
          name: 'Webhooks',
          description:
            'Events delivered to URLs. [`/asyncapi.yaml`](/asyncapi.yaml) describes what is sent',
        },
        { name: 'Operations', description: 'For those who run the gateway' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of `API_KEYS`. Roles: `app`, `ops`, `admin`',
          },
          streamToken: {
            type: 'apiKey',
            in: 'query',
            name: 'token',
            description:
              'A token of `POST /v1/sessions/{sessionId}/stream-tokens`, for one session and one origin. Also taken as a bearer token',
          },
        },
      },
      security: [{ apiKey: [] }],
    },
    transform: describeRoute,
    transformObject: (input) => describeOperations(plainSchemas(named(input) as Document)) as never,
  })
}

const named = createJsonSchemaTransformObject({ schemaRegistry: z.globalRegistry })

/** What the conversion from zod leaves out goes along as `x-` fields; describeOperations finds them there. */
const describeRoute: Transform = (input) => {
  const schema = input.schema as { response?: object; body?: unknown } | undefined
  const { config = {} } = input.route as { config?: Access }
  if (!schema) return jsonSchemaTransform(input)
  const body = (schema.body as { content?: Record<string, { schema: unknown }> })?.content
  const converted = jsonSchemaTransform({
    ...input,
    schema: body ? { ...schema, body: Object.values(body)[0]?.schema } : schema,
  } as typeof input)
  const roles = config.roles ?? config.ownAccess
  const codes = Object.values(schema.response ?? {}).flatMap(
    (response: { 'x-problem-codes'?: string[] }) => response['x-problem-codes'] ?? [],
  )
  const more = {
    ...(body && { consumes: Object.keys(body) }),
    ...(roles && { 'x-roles': rolesTaken(roles) }),
    ...(config.ownAccess && { security: [{ apiKey: [] }, { streamToken: [] }] }),
    ...(codes.length > 0 && { 'x-problem-codes': codes }),
  }
  return { ...converted, schema: { ...converted.schema, ...more } } as typeof converted
}

/** `npm run openapi` writes it. */
const asyncApiFile = new URL('../../openapi/asyncapi.yaml', import.meta.url)

const docsPolicy = [
  "default-src 'none'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The description itself, as JSON and YAML, that of the streams beside it, and a reader for it that needs no other host. */
function addPages(app: FastifyInstance): void {
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: docsPolicy,
    uiConfig: { deepLinking: true, persistAuthorization: false },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(app.swagger()),
  )
  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml').send(await openApiYaml(app)),
  )
  app.get('/asyncapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml').send(await readFile(asyncApiFile)),
  )
}

/** As it stands in openapi/openapi.yaml. The app must be ready. */
export async function openApiYaml(app: FastifyInstance): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify(app.swagger(), { lineWidth: 110, aliasDuplicateObjects: false })
}
