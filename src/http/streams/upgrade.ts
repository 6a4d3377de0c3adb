import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../errors.ts'
import { isOver } from '../../sessions/session.ts'
import { requestId } from '../context.ts'
import { problemContentType, problemOf } from '../problem-reply.ts'
import { invalidRequest } from '../validation.ts'
import { type StreamAccessDeps, streamReader } from './access.ts'
import type { Connections } from './connections.ts'
import { SessionSocket, type SessionSocketDeps } from './session-socket.ts'
import { revoked } from './stream-tokens.ts'

export interface UpgradeDeps extends StreamAccessDeps, SessionSocketDeps {
  connections: Connections
  isDraining(): boolean
}

const maxFrameBytes = 128 * 1024

/** Takes `GET /v1/sessions/{id}/ws` upgrades on Fastify's own server. A refusal is a problem with its HTTP status. */
export function acceptUpgrades(app: FastifyInstance, deps: UpgradeDeps): void {
  const server = new WebSocketServer({
    noServer: true,
    // A deflate context costs half a megabyte a socket.
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
  })
  app.server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', () => socket.destroy())
    const id = requestId(request)
    // Node takes request targets that are no URL, such as `//`.
    const url = URL.parse(request.url ?? '/', 'http://gateway')
    open(url, request.headers)
      .then(({ session, reader, after }) => {
        server.handleUpgrade(request, socket, head, (ws: WebSocket) => {
          const connection = new SessionSocket(ws, deps, { session, reader, after, requestId: id })
          deps.connections.add(connection)
          ws.once('close', () => deps.connections.remove(connection))
        })
      })
      .catch((error: unknown) => refuse(socket, error, url?.pathname ?? '/', id))
  })

  async function open(url: URL | null, headers: import('node:http').IncomingHttpHeaders) {
    if (!url) throw new GatewayError('invalid-request', 'The path is not a valid URL path')
    const sessionId = /^\/v1\/sessions\/([^/]+)\/ws$/.exec(url.pathname)?.[1]
    if (sessionId === undefined) {
      throw new GatewayError('route-not-found', `There is no WebSocket at ${url.pathname}`)
    }
    if (deps.isDraining()) throw new GatewayError('shutting-down', 'This process is stopping')
    const reader = await streamReader(deps, {
      sessionId,
      headers,
      token: url.searchParams.get('token') ?? undefined,
      ownOrigin: `http://${headers.host}`,
      roles: ['app'],
    })
    const session = await deps.sessions.get(sessionId)
    if (reader.grant && isOver(session)) throw revoked()
    const after = url.searchParams.get('after') ?? String(session.sequence)
    if (!/^\d{1,15}$/.test(after)) {
      throw invalidRequest([{ pointer: '?after', detail: 'is not a cursor' }])
    }
    return { session, reader, after: Number(after) }
  }
}

function refuse(socket: Duplex, error: unknown, path: string, id: string): void {
  const failure =
    error instanceof GatewayError ? error : new GatewayError('overloaded', 'The upgrade failed')
  const problem = problemOf(failure, path, id)
  const body = JSON.stringify(problem)
  socket.end(
    [
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
      `Content-Type: ${problemContentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${id}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}
