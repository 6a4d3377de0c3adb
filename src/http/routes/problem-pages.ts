import { z } from 'zod'
import { type ErrorCode, errorCodes, GatewayError } from '../../errors.ts'
import { problemTypes } from '../problems.ts'
import { openProblems } from '../schemas/problem.ts'
import type { App } from '../server.ts'

const ProblemCodeParam = z
  .string()
  .meta({ description: 'The `code` of a problem', examples: ['session-not-active'] })

const Page = z.string().meta({
  examples: ['<!doctype html>\n<html lang="en">\n<title>session-not-active</title>\n…'],
})

/** The pages that problem `type`s lead to. Static text, so they need no key and no escaping. */
export function problemPagesRoute(app: App) {
  app.get(
    '/problems/:code',
    {
      schema: {
        operationId: 'getProblemPage',
        summary: 'What a problem code means',
        description: 'The page that the `type` of a problem leads to.',
        tags: ['Operations'],
        security: [],
        params: z.object({ code: ProblemCodeParam }),
        response: {
          200: {
            description: 'A page for people',
            content: { 'text/html': { schema: Page } },
          },
          ...openProblems('invalid-request', 'route-not-found', 'overloaded'),
        },
      },
    },
    async (request, reply) => {
      const { code } = request.params
      if (!isErrorCode(code)) throw new GatewayError('route-not-found', 'There is no such problem')
      reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'")
      return reply.type('text/html; charset=utf-8').send(page(code) as never)
    },
  )
}

function isErrorCode(code: string): code is ErrorCode {
  return (errorCodes as readonly string[]).includes(code)
}

function page(code: ErrorCode): string {
  const { status, title, meaning, remedy } = problemTypes[code]
  const html = (markdown: string) => markdown.replace(/`([^`]+)`/g, '<code>$1</code>')
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${code}</title>
<style>body{font:1rem/1.5 system-ui;max-width:40rem;margin:3rem auto;padding:0 1rem}code{background:#8882;padding:.1em .3em}:root{color-scheme:light dark}</style>
<h1>${title}</h1>
<p><code>${code}</code>, status ${status}</p>
<h2>When</h2>
<p>${html(meaning)}</p>
<h2>What to do</h2>
<p>${html(remedy)}</p>
</html>
`
}
