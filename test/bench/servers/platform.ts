/** The platform as the bench needs it: OAuth and the three calls of `external-guests`, and nothing checked. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { listen } from '../../support/ports.ts'

export interface PlatformRequest {
  operation: 'create' | 'status' | 'message'
  /** Empty for a creation. */
  guestId: string
}

/** `body` is JSON text. */
export interface PlatformAnswer {
  status: number
  body: string
}

export interface Platform extends AsyncDisposable {
  port: number
}

export const guestsPath = '/api/v2/external/webmessaging/guests'
const token = JSON.stringify({ access_token: 'bench-token', expires_in: 86_400 })

/** `answer` decides each call once all of it has arrived. `port` 0 takes any that is free. */
export async function startPlatform(
  answer: (request: PlatformRequest) => PlatformAnswer,
  port = 0,
): Promise<Platform> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const { method, url = '' } = request
      const { status, body } =
        url === '/oauth/token' ? { status: 200, body: token } : answer(meant(method, url))
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
      })
      response.end(body)
    })
  })
  server.keepAliveTimeout = 120_000
  const listensAt = await listen(server, port)
  return {
    port: listensAt,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function meant(method: string | undefined, url: string): PlatformRequest {
  const guestId = url.slice(guestsPath.length + 1).split('/', 1)[0] ?? ''
  if (method === 'GET') return { operation: 'status', guestId }
  return { operation: guestId === '' ? 'create' : 'message', guestId }
}
