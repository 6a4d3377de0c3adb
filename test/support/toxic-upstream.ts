/**
 * A real HTTP server that misbehaves on command. Each request takes the next queued behaviour, or the usual one when
 * none is queued; every request is remembered.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { listen } from './ports.ts'

export interface SeenRequest {
  method: string
  path: string
  headers: IncomingMessage['headers']
  /** As text; empty when the behaviour did not read it. */
  body: string
  /** performance.now() at arrival. */
  at: number
}

export type Behaviour = (
  request: IncomingMessage,
  response: ServerResponse,
  seen: SeenRequest,
) => void | Promise<void>

export interface ToxicUpstream extends AsyncDisposable {
  url: string
  seen: SeenRequest[]
  sockets: ReadonlySet<Socket>
  /** The next requests' behaviours, in order. */
  queue(...behaviours: Behaviour[]): void
  /** What happens when nothing is queued. */
  usually(behaviour: Behaviour): void
  /** Resolves once `count` requests have arrived. */
  arrived(count: number): Promise<void>
}

export async function startToxicUpstream(
  usual: Behaviour = answers(200, {}),
  port = 0,
): Promise<ToxicUpstream> {
  const queued: Behaviour[] = []
  const seen: SeenRequest[] = []
  const sockets = new Set<Socket>()
  let waiting: { count: number; resolve: () => void }[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request
    const entry: SeenRequest = { method, path, headers, body: '', at: performance.now() }
    seen.push(entry)
    for (const { count, resolve } of waiting) if (seen.length >= count) resolve()
    waiting = waiting.filter(({ count }) => seen.length < count)
    const behave = queued.shift() ?? usual
    await behave(request, response, entry)
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  const listensAt = await listen(server, port)
  return {
    url: `http://127.0.0.1:${listensAt}`,
    seen,
    sockets,
    queue: (...behaviours) => void queued.push(...behaviours),
    usually: (behaviour) => {
      usual = behaviour
    },
    arrived: (count) =>
      new Promise((resolve) => {
        if (seen.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      if (server.listening) await once(server, 'close')
    },
  }
}

/** Reads the request and answers JSON; a body given as text is sent as it is, undefined as none. */
export function answers(
  status: number,
  body?: unknown,
  headers: Record<string, string> = {},
): Behaviour {
  return async (request, response, seen) => {
    seen.body = await text(request)
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(
      typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body),
    )
  }
}

/** An OAuth token answer; each one a new token, so that tests can tell them apart. */
export function grantsTokens(fields: Record<string, unknown> = {}): Behaviour {
  let count = 0
  return (request, response, seen) =>
    answers(200, {
      access_token: `fake-token-${++count}`,
      token_type: 'bearer',
      expires_in: 86_399,
      ...fields,
    })(request, response, seen)
}

/** Breaks the connection without reading the request's body. */
export const resetsAtOnce: Behaviour = (request) => {
  request.socket.resetAndDestroy()
}

/** Reads the request and breaks the connection: it may have been acted on. */
export const resetsAfterReading: Behaviour = async (request, _response, seen) => {
  seen.body = await text(request)
  request.socket.resetAndDestroy()
}

/** Answers the head and a part of the body, then breaks off. */
export function breaksOff(status: number): Behaviour {
  return async (request, response, seen) => {
    seen.body = await text(request)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': '100' })
    response.write('{"id":')
    setImmediate(() => request.socket.destroy())
  }
}

/** Reads and never answers. */
export const hangs: Behaviour = async (request, _response, seen) => {
  seen.body = await text(request)
}

/** Something that is not HTTP. */
export const talksNonsense: Behaviour = async (request, _response, seen) => {
  seen.body = await text(request)
  request.socket.end('SSH-2.0-nonsense\r\n\r\n')
}

/** Answers, then closes the connection without having said that it would. */
export function answersAndHangsUp(status: number, body: unknown): Behaviour {
  return async (request, response, seen) => {
    const answered = once(response, 'finish')
    await answers(status, body)(request, response, seen)
    await answered
    request.socket.end()
  }
}

/** Waits for `until`, then behaves. */
export function after(until: Promise<unknown>, behave: Behaviour): Behaviour {
  return async (request, response, seen) => {
    await until
    await behave(request, response, seen)
  }
}
