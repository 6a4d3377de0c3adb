/** The OpenAPI 3.1 description, made from the routes' own schemas, and the pages that show it. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { createJsonSchemaTransformObject, jsonSchemaTransform } from 'fastify-type-provider-zod'
import { stringify } from 'yaml'
import { z } from 'zod'
import { type Document, describeOperations } from './openapi-details.ts'
import type { App } from './server.ts'

const description = `One stable REST facade over the guest surfaces of Genesys Cloud: create guest sessions, inject messages, and answer for every one of them.

Errors are RFC 9457 problems; a program needs only \`code\`, \`retryable\` and \`retryAfterSeconds\`. Lists take \`limit\` and \`cursor\`. Every POST under \`/v1/sessions\` takes an \`Idempotency-Key\`.`

/** Register before the routes. */
export function describeApi(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Genesys guest gateway',
        version,
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        contact: { name: 'Whoever runs this gateway', url: 'https://developer.genesys.cloud/' },
      },
      servers: [{ url: '/', description: 'This gateway' }],
      tags: [
        { name: 'Sessions', description: 'Guest sessions and their state' },
        { name: 'Messages', description: 'What is said in them' },
        { name: 'Operations', description: 'For those who run the gateway' },
      ],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'http',
            scheme: 'bearer',
            description: 'A key of `API_KEYS`. Roles: `app`, `ops`, `admin`',
          },
        },
      },
      security: [{ apiKey: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: (input) => describeOperations(named(input) as Document) as never,
  })
}

const named = createJsonSchemaTransformObject({ schemaRegistry: z.globalRegistry })

/** The description itself, as JSON and YAML, and a reader for it that needs no other host. */
export function openApiRoutes(app: App): void {
  app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    uiConfig: { deepLinking: true, persistAuthorization: false },
  })
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/json').send(app.swagger()),
  )
  app.get('/openapi.yaml', { schema: { hide: true } }, async (_request, reply) =>
    reply.type('application/yaml').send(openApiYaml(app)),
  )
}

/** As it stands in openapi/openapi.yaml. The app must be ready. */
export function openApiYaml(app: FastifyInstance): string {
  return stringify(app.swagger(), { lineWidth: 110, aliasDuplicateObjects: false })
}
