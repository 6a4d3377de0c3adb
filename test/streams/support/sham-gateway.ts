/** A server that says on the gateway's streams whatever a test wants said; it starts nothing that watches. */
import { createServer, type ServerResponse } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { listen } from '../../support/ports.ts'

export interface Sham {
  url: string
  eventsUrl: string
  socketUrl: string
}

export interface ShamOptions {
  /** Lines and all. Default: none. */
  events?: (response: ServerResponse) => void
  socket?: (socket: WebSocket) => void
}

/** Each stream ends once everything is said. */
export async function startSham(
  t: { after(end: () => void): void },
  { events, socket }: ShamOptions,
): Promise<Sham> {
  const server = createServer((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    if (!/events/.test(request.url ?? '')) {
      return void response.setHeader('content-type', 'text/html').end('<!doctype html>')
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    events?.(response)
    response.end()
  })
  const sockets = new WebSocketServer({ server, perMessageDeflate: false })
  sockets.on('connection', (opened) => socket?.(opened))
  const host = `127.0.0.1:${await listen(server)}`
  t.after(() => {
    for (const client of sockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://${host}`,
    eventsUrl: `http://${host}/v1/sessions/gs_1/events`,
    socketUrl: `ws://${host}/v1/sessions/gs_1/ws`,
  }
}
