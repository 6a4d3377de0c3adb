/** HTTP as bytes, for requests that no decent client would make. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  status: number
  /** By lower-case name; the last one where a name comes twice. */
  headers: Record<string, string>
  /** All bytes of the body, joined from its chunks. */
  text: string
}

export interface RawOptions {
  /** We say no more after these bytes. Default true. */
  end?: boolean
  /** The request was HEAD: answers have no body, whatever their length says. */
  head?: boolean
  withinMs?: number
}

/** Writes the bytes over a connection of their own and resolves with every answer, once the server closes it. */
export async function rawAnswers(
  url: string,
  bytes: string | Buffer,
  { end = true, head = false, withinMs = 15_000 }: RawOptions = {},
): Promise<RawAnswer[]> {
  const socket = await openSocket(url)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  // The server may close while we still write; what it answered before counts.
  socket.on('error', () => undefined)
  const closed = once(socket, 'close', { signal: AbortSignal.timeout(withinMs) })
  socket.write(bytes)
  if (end) socket.end()
  try {
    await closed
  } catch {
    throw new Error(`not closed within ${withinMs} ms, so far: ${Buffer.concat(chunks).toString()}`)
  } finally {
    socket.destroy()
  }
  return parseAnswers(Buffer.concat(chunks), head)
}

/** The same, of a request that has one answer. */
export async function rawAnswer(
  url: string,
  bytes: string | Buffer,
  options?: RawOptions,
): Promise<RawAnswer> {
  const [answer, ...more] = await rawAnswers(url, bytes, options)
  if (!answer) throw new Error('the connection was closed without an answer')
  if (more.length > 0) throw new Error(`${more.length} answers too many`)
  return answer
}

/**
 * Writes the bytes and resolves with the first answer once it is whole, then hangs up; of a stream of events the head
 * is enough. Undefined when the server closes before that.
 */
export async function firstAnswer(
  url: string,
  bytes: Buffer,
  { end = false, head = false, withinMs = 15_000 }: RawOptions = {},
): Promise<RawAnswer | undefined> {
  const socket = await openSocket(url)
  const { promise, resolve, reject } = Promise.withResolvers<RawAnswer | undefined>()
  let received = Buffer.alloc(0)
  const timer = setTimeout(() => {
    reject(new Error(`no whole answer within ${withinMs} ms: ${received.toString().slice(0, 300)}`))
  }, withinMs)
  const look = (isClosed: boolean) => {
    const isStream = /^content-type: text\/event-stream/im.test(received.toString('latin1'))
    try {
      const headOnly = head || isStream
      const [answer] = parseAnswers(headOnly ? headOf(received) : received, headOnly)
      if (answer) resolve(answer)
    } catch {
      // Not whole yet.
    }
    if (isClosed) resolve(undefined)
  }
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    look(false)
  })
  socket.on('close', () => look(true))
  socket.write(bytes)
  if (end) socket.end()
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
}

function headOf(bytes: Buffer): Buffer {
  return bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4)
}

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  return socket
}

/** One after the other, as they are in the bytes; 1xx are left out. */
export function parseAnswers(bytes: Buffer, head = false): RawAnswer[] {
  const answers: RawAnswer[] = []
  for (let rest = bytes; rest.length > 0; ) {
    const headEnd = rest.indexOf('\r\n\r\n')
    if (headEnd === -1) throw new Error(`half a head: ${rest.toString()}`)
    const [first = '', ...lines] = rest.subarray(0, headEnd).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1])
    const headers = Object.fromEntries(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
      }),
    )
    const after = rest.subarray(headEnd + 4)
    const body = head || status < 200 ? { text: '', length: 0 } : bodyOf(headers, after)
    if (status >= 200) answers.push({ status, headers, text: body.text })
    rest = after.subarray(body.length)
  }
  return answers
}

function bodyOf(headers: Record<string, string>, bytes: Buffer): { text: string; length: number } {
  if (headers['transfer-encoding'] === 'chunked') return chunkedBody(bytes)
  const length = Number(headers['content-length'] ?? bytes.length)
  if (bytes.length < length) throw new Error(`a body of ${length} bytes ends after ${bytes.length}`)
  return { text: bytes.subarray(0, length).toString(), length }
}

function chunkedBody(bytes: Buffer): { text: string; length: number } {
  const chunks: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd === -1) throw new Error('a chunked body without its end')
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16)
    at = lineEnd + 2 + size + 2
    if (size === 0) return { text: Buffer.concat(chunks).toString(), length: at }
    chunks.push(bytes.subarray(lineEnd + 2, at - 2))
  }
}
