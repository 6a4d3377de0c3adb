/** Stands between the gateway and the platform, and keeps every token that comes back. HTTP only. */
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { listen } from '../../support/ports.ts'

export interface RecordingProxy {
  url: string
  /** Values of every field, in any answer, whose name says that it is a token. */
  tokens: ReadonlySet<string>
}

export async function startRecordingProxy(
  t: Pick<TestContext, 'after'>,
  target: string,
): Promise<RecordingProxy> {
  const tokens = new Set<string>()
  const server = createServer(async (request, response) => {
    try {
      const { method = 'GET', url = '/' } = request
      const body = await buffer(request)
      // The platform is to name itself in its answers, so `host` is not passed on.
      const { host: _host, connection: _connection, ...headers } = request.headers
      const answer = await fetch(target + url, {
        method,
        headers: headers as Record<string, string>,
        ...(body.length > 0 && { body: new Uint8Array(body) }),
      })
      const text = await answer.text()
      for (const token of tokensIn(parsed(text))) tokens.add(token)
      response.writeHead(answer.status, passedOn(answer.headers))
      response.end(text)
    } catch {
      // The platform broke the connection, and so does this.
      request.socket.destroy()
    }
  })
  const port = await listen(server)
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}`, tokens }
}

function passedOn(headers: Headers): Record<string, string> {
  const {
    connection,
    'content-length': length,
    'transfer-encoding': encoding,
    ...rest
  } = Object.fromEntries(headers)
  return rest
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function tokensIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const isToken = /token$|jwt/i.test(name) && typeof inner === 'string'
    return isToken ? [inner] : tokensIn(inner)
  })
}
