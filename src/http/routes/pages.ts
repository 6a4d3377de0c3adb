/**
 * The pages for people: static files of src/pages, read once, each on a route of its own. So nothing but these files can
 * be asked for, whatever a path looks like.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { App } from '../server.ts'

export interface PagesDeps {
  /** Whether there is a page to play with; it makes guests. */
  playground: boolean
}

const folder = path.join(import.meta.dirname, '..', '..', 'pages')

/** What browsers take; other files of the folder are for those who work on it. */
const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Browsers take 'self' for WebSockets of this host too, and know better than we which host that is. */
const policy = [
  "default-src 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

/** `index.html` of each page at its name, everything else below /pages/, as it lies in src/pages. */
export function pageRoutes(app: App, { playground }: PagesDeps): void {
  const pages = playground ? ['playground'] : []
  const folders = pages.length > 0 ? ['shared', ...pages] : []
  for (const name of folders) {
    for (const file of readdirSync(path.join(folder, name))) {
      const contentType = contentTypes[path.extname(file)]
      if (contentType === undefined) continue
      const url = file === 'index.html' ? `/${name}` : `/pages/${name}/${file}`
      serve(app, url, contentType, readFileSync(path.join(folder, name, file)))
    }
  }
}

function serve(app: App, url: string, contentType: string, content: Buffer): void {
  const etag = `"${createHash('sha256').update(content).digest('base64url')}"`
  app.get(url, { schema: { hide: true } }, async (request, reply) => {
    reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': policy })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type(contentType).send(content)
  })
}
