/** What Node could not read as HTTP still gets a problem, and never in place of an answer that is on its way. */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { GatewayError } from '../errors.ts'
import { problemContentType, problemOf } from './problem-reply.ts'
import { statusText } from './status-text.ts'

interface Exchange {
  request: IncomingMessage
  response: ServerResponse
}

export class BrokenRequests {
  readonly #maxHeaderBytes: number
  readonly #open = new WeakMap<Socket, Exchange[]>()
  readonly #broken = new WeakSet<Socket>()

  constructor(maxHeaderBytes: number) {
    this.#maxHeaderBytes = maxHeaderBytes
  }

  /** To be told of every request that could be read, but for those that are answered at once. */
  began(request: IncomingMessage, response: ServerResponse): void {
    const open = this.#open.get(request.socket)
    if (open) open.push({ request, response })
    else this.#open.set(request.socket, [{ request, response }])
  }

  /** And of every one whose answer is out. Those of a connection that broke go with it. */
  answered(request: IncomingMessage): void {
    const open = this.#open.get(request.socket)
    if (!open) return
    if (open.length === 1) open.pop()
    else
      this.#open.set(
        request.socket,
        open.filter((exchange) => exchange.request !== request),
      )
  }

  /** For Node's `clientError`. Ends the connection. */
  async answer(error: Error & { code?: string }, socket: Socket): Promise<void> {
    if (this.#broken.has(socket)) return
    this.#broken.add(socket)
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const exchanges = [...(this.#open.get(socket) ?? [])]
    // Requests sent ahead of the broken one get their answers first: a 400 in their place would be taken for theirs.
    const whole = exchanges.filter(({ request }) => request.complete)
    await Promise.all(whole.map(({ response }) => closed(response)))
    const isAnswering = exchanges.some(
      ({ request, response }) => !request.complete && response.headersSent,
    )
    // What was written of an answer is let out.
    if (isAnswering) socket.end()
    else socket.end(this.#problem(error))
  }

  #problem({ code }: { code?: string }): string {
    const { status, detail } =
      code === 'HPE_HEADER_OVERFLOW'
        ? { status: 431, detail: `The headers are over ${this.#maxHeaderBytes} bytes` }
        : code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? { status: 408, detail: 'The request did not arrive in time' }
          : { status: 400, detail: 'Not an HTTP request' }
    const requestId = randomUUID()
    const problem = problemOf(new GatewayError('invalid-request', detail), '/', requestId)
    const body = JSON.stringify({ ...problem, status })
    return [
      `HTTP/1.1 ${status} ${statusText(status)}`,
      `Content-Type: ${problemContentType}`,
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      '',
      body,
    ].join('\r\n')
  }
}

function closed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    if (response.closed) resolve()
    else response.once('close', resolve)
  })
}
