import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { StreamTalk } from './stream-talk.ts'
import type { Witness } from './witness.ts'

/**
 * Looks at every TCP connection that this process opens, whatever client opens it: `fetch`, EventSource, WebSocket, a
 * bare socket, a relay for another program. Of one that asks for a stream of the gateway the witness is told all that
 * went over it, both ways, as it was written and received. Returns the way to stop.
 */
export function watchConnections(witness: Witness): () => void {
  const opened = (message: unknown) => watch((message as { socket: Socket }).socket, witness)
  subscribe('net.client.socket', opened)
  return () => unsubscribe('net.client.socket', opened)
}

const request = /^([A-Z]+) (?:http:\/\/[^/ ]+)?(\S+) HTTP\/1\.[01]\r\n/
const longestPath = 10_000

function watch(socket: Socket, witness: Witness): void {
  let talk = new StreamTalk('what nobody was seen to ask for', witness)
  const { push, write, end } = socket

  function said(chunk: unknown, encoding: unknown): void {
    const bytes = bytesOf(chunk, encoding)
    if (!bytes) return
    if (talk.isSocket) talk.said(bytes)
    else asked(bytes)
  }
  function asked(bytes: Buffer): void {
    const [, method, path = ''] =
      request.exec(bytes.subarray(0, longestPath).toString('latin1')) ?? []
    if (method === undefined) return
    talk = new StreamTalk(method === 'GET' ? path : `${method} ${path}`, witness)
  }

  socket.push = (chunk: unknown, encoding?: BufferEncoding) => {
    const bytes = bytesOf(chunk, encoding)
    if (bytes) talk.heard(bytes)
    return push.call(socket, chunk, encoding)
  }
  const watchedWrite = (...args: unknown[]) => {
    said(args[0], args[1])
    return write.apply(socket, args as Parameters<typeof write>)
  }
  // connect(), which is under way, would put the prototype's own back.
  Object.defineProperty(socket, 'write', { get: () => watchedWrite, set: () => undefined })
  socket.end = (...args: unknown[]) => {
    said(args[0], args[1])
    return end.apply(socket, args as Parameters<typeof end>)
  }
}

function bytesOf(chunk: unknown, encoding: unknown): Buffer | undefined {
  if (typeof chunk === 'string') {
    return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  }
  if (!(chunk instanceof Uint8Array)) return undefined
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
}
