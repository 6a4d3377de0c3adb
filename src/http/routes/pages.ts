/**
 * The pages for people: static files of src/pages, each on a route of its own, so that nothing else can be asked for,
 * whatever a path looks like. Each is read once, when it is first asked for.
 */
import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { App } from '../server.ts'

export interface PagesDeps {
  /** Whether there is a page to play with; it makes guests. The dashboard only looks, and is always there. */
  playground: boolean
}

const folder = path.join(import.meta.dirname, '..', '..', 'pages')

/** What the dashboard draws its lines with, as the package has it; the rest of the package is not served. */
const plotFolder = path.dirname(fileURLToPath(import.meta.resolve('uplot')))
const plotFiles = ['uPlot.esm.js', 'uPlot.min.css']

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

/** `index.html` of each page at its name, everything else below /pages/, as it lies in src/pages; so does what draws. */
export function pageRoutes(app: App, { playground }: PagesDeps): void {
  for (const name of ['shared', 'dashboard', ...(playground ? ['playground'] : [])]) {
    for (const file of readdirSync(path.join(folder, name))) {
      const url = file === 'index.html' ? `/${name}` : `/pages/${name}/${file}`
      serve(app, url, path.join(folder, name, file))
    }
  }
  for (const file of plotFiles) serve(app, `/pages/uplot/${file}`, path.join(plotFolder, file))
}

function serve(app: App, url: string, file: string): void {
  const contentType = contentTypes[path.extname(file)]
  if (contentType === undefined) return
  let page: { content: Buffer; etag: string } | undefined
  app.get(url, { schema: { hide: true } }, async (request, reply) => {
    page ??= read(file)
    const { content, etag } = page
    reply.headers({ etag, 'cache-control': 'no-cache', 'content-security-policy': policy })
    if (request.headers['if-none-match'] === etag) return reply.code(304).send()
    return reply.type(contentType).send(content)
  })
}

function read(file: string): { content: Buffer; etag: string } {
  const content = readFileSync(file)
  return { content, etag: `"${hash('sha256', content, 'base64url')}"` }
}
