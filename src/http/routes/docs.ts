/** The descriptions of the API and of its streams, and a reader for the first. All are made when they are first asked for. */
import type { FastifyInstance } from 'fastify'

/** `describe` makes an app that answers for these paths. */
export function docsRoutes(app: FastifyInstance, describe: () => Promise<FastifyInstance>): void {
  let described: Promise<FastifyInstance> | undefined
  for (const path of ['/openapi.json', '/openapi.yaml', '/asyncapi.yaml', '/docs', '/docs/*']) {
    app.get(path, { schema: { hide: true } }, async ({ url, headers }, reply) => {
      described ??= describe()
      const docs = await described
      const answer = await docs.inject({ url, headers })
      // A file that is not there, or a path that leads out of the folder.
      if (answer.statusCode >= 400) return reply.callNotFound()
      const { connection: _, date: __, ...ofDocs } = answer.headers
      const { rawPayload } = answer
      reply.code(answer.statusCode).headers(ofDocs)
      return reply.send(rawPayload.length > 0 ? rawPayload : undefined)
    })
  }
  app.addHook('onClose', async () => (await described)?.close())
}
