/** A bare WebSocket server that does only what a test tells it to; plain HTTP is whoever's who asks for it. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { type WebSocket, WebSocketServer } from 'ws'
import { listen } from '../../support/ports.ts'
import { until } from '../../support/until.ts'

export interface ServerSocket {
  ws: WebSocket
  /** Of the upgrade: path with query, and headers. */
  request: IncomingMessage
  /** Text frames so far, parsed. */
  frames: Record<string, unknown>[]
  /** Set once it is gone. */
  closed: { code: number; reason: string } | undefined
  /** Objects go as JSON, the rest as it is. */
  send(frame: object | string | Buffer): void
}

/** What an upgrade is answered with instead. */
export interface Refused {
  status: number
  headers?: Record<string, string>
}

export interface SocketServer {
  /** `ws://` origin. */
  url: string
  /** Every socket ever accepted, oldest first. */
  sockets: ServerSocket[]
  /** When upgrades came, accepted or not. */
  dials: { at: number; url: string; origin: string | undefined }[]
  /** Asked for every upgrade; undefined lets it in, `hold` never answers. */
  admit: (dial: number) => Refused | 'hold' | undefined
  /** Called with every accepted socket. */
  onOpen: (socket: ServerSocket) => void
  /** Called with every text frame. */
  onFrame: (socket: ServerSocket, frame: Record<string, unknown>) => void
  /** The socket of that place, once it is there. */
  socket(place: number): Promise<ServerSocket>
}

const nothingHere: RequestListener = (_request, response) => response.writeHead(404).end()

export async function startSocketServer(
  t: Pick<TestContext, 'after'>,
  onRequest = nothingHere,
): Promise<SocketServer> {
  const http = createServer(onRequest)
  const raw = new Set<Socket>()
  http.on('connection', (socket) => {
    raw.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => raw.delete(socket))
  })
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  const server: SocketServer = {
    url: '',
    sockets: [],
    dials: [],
    admit: () => undefined,
    onOpen: () => undefined,
    onFrame: () => undefined,
    socket: (place) => until(`socket ${place}`, () => server.sockets[place]),
  }
  http.on('upgrade', (request, socket, head) => {
    const { url = '', headers } = request
    server.dials.push({ at: performance.now(), url, origin: headers.origin })
    const refused = server.admit(server.dials.length - 1)
    if (refused === 'hold') return
    if (refused) {
      const lines = Object.entries(refused.headers ?? {}).map(
        ([name, value]) => `${name}: ${value}`,
      )
      const answer = [`HTTP/1.1 ${refused.status} Refused`, 'Connection: close', ...lines]
      socket.end(`${answer.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    webSockets.handleUpgrade(request, socket, head, (ws) => accept(server, ws, request))
  })
  server.url = `ws://127.0.0.1:${await listen(http)}`
  t.after(async () => {
    for (const socket of raw) socket.destroy()
    http.close()
    await once(http, 'close')
  })
  return server
}

function accept(server: SocketServer, ws: WebSocket, request: IncomingMessage): void {
  const socket: ServerSocket = {
    ws,
    request,
    frames: [],
    closed: undefined,
    send: (frame) =>
      ws.send(typeof frame === 'string' || Buffer.isBuffer(frame) ? frame : JSON.stringify(frame)),
  }
  ws.on('error', () => ws.terminate())
  ws.on('close', (code, reason) => {
    socket.closed = { code, reason: String(reason) }
  })
  ws.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Record<string, unknown>
    socket.frames.push(frame)
    server.onFrame(socket, frame)
  })
  server.sockets.push(socket)
  server.onOpen(socket)
}
