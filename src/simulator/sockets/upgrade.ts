/**
 * WebSockets on the server's port. An upgrade is a request like any other: written down, faults, then the endpoint
 * says who comes in. Who does gets a link.
 */
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { Answer } from '../answer.ts'
import { textOfAnswer } from '../platform-error.ts'
import type { Kept } from '../received.ts'
import { bareStatus, notFound } from '../refusals.ts'
import type { RunningWorld } from '../running-world.ts'
import type { Admitted, SocketEndpoint } from './endpoint.ts'
import { Link } from './link.ts'
import { pathParams } from './path-params.ts'

/** Beyond what any surface allows; each surface has its own limit. */
const maxPayload = 1024 * 1024

export function serveUpgrades(server: Server, world: () => RunningWorld): void {
  const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload })
  server.on('upgrade', (request, duplex, head) => {
    const socket = duplex as Socket
    socket.on('error', () => socket.destroy())
    void new Upgrade(world(), webSockets, request, socket, head).serve()
  })
}

class Upgrade {
  readonly #world: RunningWorld
  readonly #webSockets: WebSocketServer
  readonly #request: IncomingMessage
  readonly #socket: Socket
  readonly #head: Buffer
  readonly #url: URL
  readonly #entry: Kept
  readonly #operation: string
  readonly #endpoint: SocketEndpoint | undefined
  readonly #params: Record<string, string>

  constructor(
    world: RunningWorld,
    webSockets: WebSocketServer,
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ) {
    this.#world = world
    this.#webSockets = webSockets
    this.#request = request
    this.#socket = socket
    this.#head = head
    this.#url = new URL(request.url ?? '/', 'ws://simulator')
    const found = world.endpoints
      .map((named) => ({ ...named, params: pathParams(named.endpoint.path, this.#url.pathname) }))
      .find(({ params }) => params)
    this.#operation = found?.operation ?? 'unknown'
    this.#endpoint = found?.endpoint
    this.#params = found?.params ?? {}
    this.#entry = world.received.add({
      at: world.time.now(),
      operation: this.#operation,
      method: request.method ?? 'GET',
      path: request.url ?? '',
      headers: request.headers,
      text: '',
    })
  }

  async serve(): Promise<void> {
    if (!(await this.#survive())) return
    if (!this.#endpoint) return this.#refuse(notFound())
    const admission = this.#endpoint.admit({
      params: this.#params,
      query: this.#url.searchParams,
      headers: this.#request.headers,
    })
    if ('refuse' in admission) this.#refuse(admission.refuse)
    else this.#accept(admission)
  }

  /** Suffers the faults ordered for it; whether there is still something to answer. */
  async #survive(): Promise<boolean> {
    const target = {
      operation: this.#operation,
      clientId: null,
      path: this.#entry.path,
      body: '',
    }
    for (const rule of this.#world.faults.strike('before', target)) {
      this.#entry.fault = rule.kind
      switch (rule.kind) {
        case 'latency':
          await this.#world.time.sleep(rule.latencyMs)
          break
        case 'status':
          this.#refuse(bareStatus(rule.status, rule.retryAfter), rule.body)
          return false
        case 'rate-limit':
          this.#refuse(bareStatus(429, rule.retryAfter))
          return false
        case 'hang':
          this.#hold()
          return false
        default:
          this.#socket.resetAndDestroy()
          this.#world.received.settle(this.#entry)
          return false
      }
    }
    return !this.#socket.destroyed
  }

  #accept({ subject, open }: Admitted): void {
    const world = this.#world
    const { path } = this.#entry
    this.#webSockets.handleUpgrade(this.#request, this.#socket, this.#head, (webSocket) => {
      const origin = { id: world.links.nextId(), operation: this.#operation, path }
      const link = new Link(world, webSocket, origin, subject)
      // The library closes the socket itself, with the code of what went wrong.
      webSocket.on('error', () => undefined)
      webSocket.on('close', () => world.links.remove(link))
      link.serve(open(link))
      world.links.add(link)
      this.#entry.acted = true
      this.#settle(101)
    })
  }

  #refuse(answer: Answer, body?: unknown): void {
    const contextId = this.#world.chance.uuid('context', this.#entry.sequence)
    const text = textOfAnswer(answer, contextId, body)
    const headers = {
      ...answer.headers,
      ...(text !== '' && { 'content-type': 'application/json' }),
      'content-length': String(Buffer.byteLength(text)),
      connection: 'close',
      'inin-correlation-id': contextId,
    }
    const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    const reason = STATUS_CODES[answer.status] ?? ''
    this.#socket.end(`HTTP/1.1 ${answer.status} ${reason}\r\n${head.join('')}\r\n${text}`)
    this.#settle(answer.status)
  }

  #hold(): void {
    const { held, received } = this.#world
    held.add(this.#socket)
    this.#socket.once('close', () => held.delete(this.#socket))
    received.settle(this.#entry)
  }

  #settle(status: number): void {
    this.#entry.answeredStatus = status
    this.#world.received.settle(this.#entry)
  }
}
