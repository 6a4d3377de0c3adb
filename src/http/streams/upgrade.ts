import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { type WebSocket, WebSocketServer } from 'ws'
import { GatewayError } from '../../errors.ts'
import { readTrace } from '../../trace.ts'
import { requestId } from '../context.ts'
import { problemContentType, problemOf } from '../problem-reply.ts'
import { statusText } from '../status-text.ts'
import { invalidRequest } from '../validation.ts'
import { type StreamAccessDeps, streamReader } from './access.ts'
import { failureOf } from './failure.ts'
import { type Opened, SessionSocket, type SessionSocketDeps } from './session-socket.ts'

export interface UpgradeDeps extends StreamAccessDeps, SessionSocketDeps {}

const maxFrameBytes = 128 * 1024

/** Takes `GET /v1/sessions/{id}/ws` upgrades on Fastify's own server. A refusal is a problem with its HTTP status. */
export function acceptUpgrades(app: FastifyInstance, deps: UpgradeDeps): void {
  const server = new WebSocketServer({
    noServer: true,
    // A deflate context costs half a megabyte a socket.
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
  })
  // A handshake that is none: ws would answer in HTML.
  server.on('wsClientError', (error, socket, request) => {
    const failure = new GatewayError(
      'invalid-request',
      `Not a WebSocket handshake: ${error.message}`,
    )
    refuse(socket, failure, request, { 'Sec-WebSocket-Version': '13' })
  })
  app.server.on('upgrade', (request, socket: Duplex, head) => {
    socket.on('error', destroy)
    open(request)
      .then((opened) => {
        server.handleUpgrade(request, socket, head, (ws: WebSocket) => {
          deps.connections.add(new SessionSocket(ws, socket, deps, opened))
        })
      })
      .catch((error: unknown) => refuse(socket, failureOf(error, deps.logger), request))
  })

  async function open(request: IncomingMessage): Promise<Opened> {
    const { url = '/', headers } = request
    // Node takes request targets that are no URL, such as `//`.
    const target = URL.parse(url, 'http://gateway')
    if (!target) throw new GatewayError('invalid-request', 'The path is not a valid URL path')
    const { pathname, searchParams } = target
    const sessionId = /^\/v1\/sessions\/([^/]+)\/ws$/.exec(pathname)?.[1]
    if (sessionId === undefined) {
      throw new GatewayError('route-not-found', `There is no WebSocket at ${pathname}`)
    }
    const reader = await streamReader(deps, {
      sessionId,
      headers,
      token: searchParams.get('token') ?? undefined,
      host: headers.host,
      roles: ['app'],
    })
    const session = await deps.sessions.get(sessionId)
    const after = searchParams.get('after') ?? String(session.sequence)
    if (!/^\d{1,15}$/.test(after)) {
      throw invalidRequest([{ pointer: '?after', detail: 'is not a cursor' }])
    }
    const trace = readTrace(headers)
    return { session, reader, after: Number(after), requestId: asOne(requestId(request)), trace }
  }
}

/** The text in one piece: one that was put together, as new ids are, is a tree of its pieces, twenty times as large. */
function asOne(text: string): string {
  return Buffer.from(text).toString()
}

function destroy(this: Duplex): void {
  this.destroy()
}

function refuse(
  socket: Duplex,
  failure: GatewayError,
  request: IncomingMessage,
  more: Record<string, string> = {},
): void {
  const path = request.url?.split('?', 1)[0] ?? '/'
  const problem = problemOf(failure, path, requestId(request))
  const { status, retryAfterSeconds } = problem
  const body = JSON.stringify(problem)
  const headers: Record<string, string> = {
    'Content-Type': problemContentType,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': problem.requestId,
    Connection: 'close',
    ...(retryAfterSeconds !== null && { 'Retry-After': String(retryAfterSeconds) }),
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    ...more,
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  // The client may keep its half open; ours is all there is to say.
  socket.once('finish', () => socket.destroy())
  socket.end([`HTTP/1.1 ${status} ${statusText(status)}`, ...lines, '', body].join('\r\n'))
}
