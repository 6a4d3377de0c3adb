/**
 * The least that stands between a guest's socket on the platform and those who watch: bytes passed on as they are,
 * nothing kept, unless `JOURNAL` names a file for it. `/{guestId}`: the first watcher dials the platform, the last one's leaving hangs up.
 */
import { createServer } from 'node:http'
import { WebSocket, WebSocketServer } from 'ws'
import { socketPath } from '../guests.ts'
import { openJournal } from './journal.ts'

interface Relayed {
  up: WebSocket
  watchers: Set<WebSocket>
}

const { JOURNAL } = process.env
const append = JOURNAL ? openJournal(JOURNAL) : undefined
const relayed = new Map<string, Relayed>()
const perMessageDeflate = false
const server = createServer((request, response) => {
  request.resume()
  response.end('{}')
})
const wss = new WebSocketServer({ server, perMessageDeflate, clientTracking: false })
wss.on('connection', (down, { url = '' }) => {
  const guestId = url.slice(1)
  const { up, watchers } = relayed.get(guestId) ?? dial(guestId)
  watchers.add(down)
  down.on('message', (data, binary) => up.send(data, { binary }))
  down.on('error', () => down.terminate())
  down.on('close', () => {
    watchers.delete(down)
    if (watchers.size === 0) up.terminate()
  })
})

function dial(guestId: string): Relayed {
  const up = new WebSocket(`${process.env.PLATFORM_SOCKETS}${socketPath(guestId)}`, {
    perMessageDeflate,
  })
  const watchers = new Set<WebSocket>()
  up.on('message', (data, binary) => {
    const pass = () => {
      for (const down of watchers) down.send(data, { binary })
    }
    if (append) append(data.toString(), pass)
    else pass()
  })
  up.on('error', () => up.terminate())
  up.on('close', () => {
    relayed.delete(guestId)
    for (const down of watchers) down.terminate()
  })
  relayed.set(guestId, { up, watchers })
  return { up, watchers }
}

server.listen({ port: Number(process.env.PORT), host: '127.0.0.1', backlog: 4096 })
process.once('SIGTERM', () => process.exit(0))
