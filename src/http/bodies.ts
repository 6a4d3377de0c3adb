import type { FastifyInstance } from 'fastify'
import { invalidRequest } from './validation.ts'

/** Bodies are JSON in valid UTF-8. Anything else is `unsupported-media-type`. */
export function acceptJson(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  // Fastify's own parser replaces broken bytes; a message must not arrive other than it was sent.
  const utf8 = new TextDecoder('utf-8', { fatal: true })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/(?:json|[\w.+-]+\+json)(?:\s*;|$)/i,
    { parseAs: 'buffer' },
    (request, body, done) => {
      if (body.length === 0) {
        done(null, undefined)
        return
      }
      let decoded: string
      try {
        decoded = utf8.decode(body as Buffer)
      } catch {
        done(invalidRequest([{ pointer: '', detail: 'is not valid UTF-8' }]))
        return
      }
      parseJson(request, decoded, (error, value) => {
        const detail = 'is not valid JSON, or has a key that names a prototype'
        if (error) done(invalidRequest([{ pointer: '', detail }]))
        else done(null, value)
      })
    },
  )
}

/** The routes of this scope get bodies of newline-delimited JSON too, as the stream they come in. */
export function acceptLines(scope: FastifyInstance): void {
  scope.addContentTypeParser('application/x-ndjson', (_request, payload, done) =>
    done(null, payload),
  )
}
