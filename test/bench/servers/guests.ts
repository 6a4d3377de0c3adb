/**
 * A platform of `messaging-guests` that lets everybody in at once and speaks when it is told to, as cheaply as Node can.
 * `PORT` is where. `GET /` counts the guests' sockets, `GET /{guestId}` is whether one has it; a socket at `/control` says who is to hear something (`Order`).
 */
import { createServer } from 'node:http'
import { type WebSocket, WebSocketServer } from 'ws'
import { text } from '../requests.ts'

/** Every guest named gets so many messages. */
export interface Order {
  to: readonly string[]
  each: number
}

const token = JSON.stringify({ access_token: 'bench-token', expires_in: 86_400 })
const sockets = new Map<string, WebSocket>()
let guests = 0
let ended = 0
let said = 0

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    response.setHeader('content-type', 'application/json')
    response.end(answer(request.method, request.url))
  })
})
const wss = new WebSocketServer({ server, perMessageDeflate: false, clientTracking: false })
wss.on('connection', (socket, { url = '' }) => {
  if (url === '/control') {
    socket.on('message', (order) => say(JSON.parse(order.toString()) as Order))
    return
  }
  const guestId = /\/([^/]+)\/websocket/.exec(url)?.[1] ?? ''
  sockets.set(guestId, socket)
  socket.on('error', () => undefined)
  socket.on('close', () => {
    sockets.delete(guestId)
    ended += 1
  })
})

function answer(method = '', url = ''): string {
  if (url === '/oauth/token') return token
  if (method === 'GET' && url !== '/') return String(sockets.has(url.slice(1)))
  if (method === 'GET') return JSON.stringify({ open: sockets.size, ended })
  guests += 1
  const id = `guest-${guests}`
  return JSON.stringify({ id, conversationId: `of-${id}`, webChatToken: `token-of-${id}` })
}

function say({ to, each }: Order): void {
  for (let round = 0; round < each; round++) {
    for (const senderId of to) {
      said += 1
      const timestamp = new Date().toISOString()
      const message = {
        type: 'message',
        messageId: `said-${said}`,
        senderId: 'agent-1',
        text,
        timestamp,
      }
      sockets.get(senderId)?.send(JSON.stringify(message))
    }
  }
}

server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 })
process.once('SIGTERM', () => process.exit(0))
