/**
 * What reached the simulator, in order, with secrets taken out: the witness a test asks what really happened.
 * Bounded in entries and in length; the oldest go first.
 */
export interface ReceivedRequest {
  /** From 1, without gaps. */
  sequence: number
  /** Epoch ms on the simulator's clock. */
  at: number
  /** `surface.operation`, for a frame `surface.socket.frame`, or `unknown`. */
  operation: string
  /** `FRAME` for a frame. */
  method: string
  /** Path and query. */
  path: string
  headers: Record<string, string | string[] | undefined>
  /** Parsed JSON or form fields, else text; undefined when there was none. */
  body: unknown
  clientId: string | null
  /** Which of the client's tokens it carried, counted from 1. */
  tokenNumber: number | null
  /** The operation was carried out, whether or not its answer ever left. */
  acted: boolean
  /** The kind of fault that hit it. */
  fault: string | null
  /** Null until answered, and for good when a fault kept the answer back. */
  answeredStatus: number | null
}

/** An entry as it is kept: its body is parsed only when somebody looks. */
export type Kept = Omit<ReceivedRequest, 'body'> & { text: string }

interface Waiter {
  accepts: (request: ReceivedRequest) => boolean
  resolve: (request: ReceivedRequest) => void
}

const secretFields = new Set([
  ...['access_token', 'accesstoken', 'client_secret', 'code', 'jwt', 'refreshtoken'],
  ...['token', 'webchattoken', 'x-amz-signature'],
])
/** Of all bodies together, in characters. */
const maxTotalLength = 16 * 1024 * 1024

export class ReceivedLog {
  readonly #limit: number
  readonly #waiters = new Set<Waiter>()
  #entries: Kept[] = []
  #first = 0
  #length = 0
  #sequence = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  add(request: Pick<Kept, 'at' | 'operation' | 'method' | 'path' | 'headers' | 'text'>): Kept {
    this.#sequence += 1
    const entry: Kept = {
      ...request,
      sequence: this.#sequence,
      path: withoutSecretsInQuery(request.path),
      headers: withoutCredentials(request.headers),
      clientId: null,
      tokenNumber: null,
      acted: false,
      fault: null,
      answeredStatus: null,
    }
    this.#entries.push(entry)
    this.#length += entry.text.length
    this.#trim()
    return entry
  }

  /** A frame that came over a socket. */
  addFrame(frame: Pick<Kept, 'at' | 'operation' | 'path' | 'text'>): Kept {
    return this.add({ ...frame, method: 'FRAME', headers: {} })
  }

  /** To be called when nothing more will be learned about a request. */
  settle(entry: Kept): void {
    if (this.#waiters.size === 0) return
    const request = shown(entry)
    for (const waiter of this.#waiters) {
      if (!waiter.accepts(request)) continue
      this.#waiters.delete(waiter)
      waiter.resolve(request)
    }
  }

  /** Oldest first; `operation` may name a whole surface. */
  list(operation?: string): ReceivedRequest[] {
    return this.#entries
      .slice(this.#first)
      .filter((entry) => operation === undefined || isOperation(entry.operation, operation))
      .map(shown)
  }

  /** The first request from now on that the simulator has finished with and that `accepts` takes. */
  next(accepts: (request: ReceivedRequest) => boolean = () => true): Promise<ReceivedRequest> {
    const { promise, resolve } = Promise.withResolvers<ReceivedRequest>()
    this.#waiters.add({ accepts, resolve })
    return promise
  }

  /** How many ever came. */
  get total(): number {
    return this.#sequence
  }

  clear(): void {
    this.#entries = []
    this.#first = 0
    this.#length = 0
  }

  #trim(): void {
    while (this.#entries.length - this.#first > this.#limit || this.#length > maxTotalLength) {
      this.#length -= this.#entries[this.#first]?.text.length ?? 0
      this.#first += 1
    }
    if (this.#first > 64 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first)
      this.#first = 0
    }
  }
}

/** `external-guests` covers `external-guests.sendMessage`. */
export function isOperation(operation: string, filter: string): boolean {
  return operation === filter || operation.startsWith(`${filter}.`)
}

function shown({ text, ...entry }: Kept): ReceivedRequest {
  return { ...entry, body: readable(text, String(entry.headers['content-type'] ?? '')) }
}

function readable(text: string, contentType: string): unknown {
  if (text === '') return undefined
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return withoutSecrets(Object.fromEntries(new URLSearchParams(text)))
  }
  try {
    return withoutSecrets(JSON.parse(text))
  } catch {
    return text
  }
}

function withoutSecrets(body: unknown): unknown {
  if (Array.isArray(body)) return body.map(withoutSecrets)
  if (typeof body !== 'object' || body === null) return body
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      isSecret(name) ? '[redacted]' : withoutSecrets(value),
    ]),
  )
}

function withoutCredentials(headers: ReceivedRequest['headers']): ReceivedRequest['headers'] {
  if (typeof headers.authorization !== 'string') return { ...headers }
  const scheme = headers.authorization.split(' ', 1)[0]
  return { ...headers, authorization: `${scheme} [redacted]` }
}

function withoutSecretsInQuery(path: string): string {
  return path.replace(/([?&])([^=&]+)=[^&]*/g, (whole, mark: string, name: string) =>
    isSecret(name) ? `${mark}${name}=[redacted]` : whole,
  )
}

function isSecret(name: string): boolean {
  return secretFields.has(name.toLowerCase())
}
