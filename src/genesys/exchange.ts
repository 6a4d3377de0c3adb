/** One request in undici's hands: collects its answer, and tells undici's errors in our words. */
import { gunzipSync } from 'node:zlib'
import type { Dispatcher } from 'undici'
import type { Answer, AnswerHeaders, Fault, FaultKind, Outcome } from './outcome.ts'
import { headerOf } from './retry.ts'

/** Two names of one coding. */
const gzip: ReadonlySet<string | undefined> = new Set(['gzip', 'x-gzip'])
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * undici calls `onRequestStart` in the same turn as, and just before, it writes the request to a connected socket
 * (writeH1 in its client-h1.js): before that nothing has left, from then on everything may have.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  /** The request has been written. */
  started = false
  settled = false
  /** In ticks of the transport. */
  expiresAt: number
  #settle: ((outcome: Outcome) => void) | undefined
  readonly #onStart: (exchange: Exchange) => void
  readonly #maxAnswerBytes: number
  readonly #sentAt = performance.now()
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: AnswerHeaders = {}
  #chunks: Buffer[] = []

  constructor(
    expiresAt: number,
    maxAnswerBytes: number,
    onStart: (exchange: Exchange) => void,
    settle: (outcome: Outcome) => void,
  ) {
    this.expiresAt = expiresAt
    this.#maxAnswerBytes = maxAnswerBytes
    this.#onStart = onStart
    this.#settle = settle
  }

  /** Throwing here keeps the request from being written, and the connection open. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.settled) throw new Error('given up before it left')
    // undici puts a request back in line when it closes the connection itself; to leave once is enough.
    if (this.started) throw new Error('it left before')
    this.started = true
    this.#controller = controller
    this.#onStart(this)
  }

  onResponseStart(_controller: unknown, status: number, headers: AnswerHeaders): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    const coding = headerOf(this.#headers, 'content-encoding')
    const { body, malformed } = parseBody(this.#chunks, coding, this.#maxAnswerBytes)
    this.#finish(this.#answer(body, malformed))
  }

  onResponseError(_controller: unknown, error: Error): void {
    const outcome =
      this.#status >= 300
        ? // Outside the 2xx the status alone says what became of the request, however the body broke.
          this.#answer(undefined, true)
        : this.#fault(faultOf(error, this.started), error)
    this.#finish(outcome)
  }

  /** Its time is up, to be sent or to be answered. */
  expire(): void {
    if (!this.started) {
      this.#finish(this.#fault('crowded', new Error('no connection came free in time')))
    } else this.#controller?.abort(new AnswerTimeout())
  }

  #finish(outcome: Outcome): void {
    if (this.settled) return
    this.settled = true
    this.#settle?.(outcome)
    this.#letGo()
  }

  /** So that whoever still reaches it keeps nothing else in memory: see `Wait` in sessions/settlements.ts. */
  #letGo(): void {
    this.#settle = undefined
    this.#controller = undefined
    this.#headers = {}
    this.#chunks = []
  }

  #answer(body: unknown, malformed: boolean): Answer {
    const status = this.#status
    const headers = this.#headers
    const latencyMs = performance.now() - this.#sentAt
    return { kind: 'answer', status, headers, body, malformed, latencyMs }
  }

  #fault(fault: FaultKind, cause: Error): Fault {
    const fate = this.started ? 'unknown' : 'refused'
    return { kind: 'fault', fault, fate, cause, latencyMs: performance.now() - this.#sentAt }
  }
}

/**
 * Nobody is asked to compress, but without an `Accept-Encoding` a server may, and some proxies do whatever is asked:
 * what a message came to must not hang on that.
 */
function parseBody(
  chunks: Buffer[],
  coding: string | undefined,
  maxAnswerBytes: number,
): { body: unknown; malformed: boolean } {
  const [first] = chunks
  if (first === undefined) return { body: undefined, malformed: false }
  const bytes = chunks.length === 1 ? first : Buffer.concat(chunks)
  try {
    const plain = gzip.has(coding?.toLowerCase())
      ? gunzipSync(bytes, { maxOutputLength: maxAnswerBytes })
      : bytes
    return { body: JSON.parse(utf8.decode(plain)), malformed: false }
  } catch {
    return { body: undefined, malformed: true }
  }
}

class AnswerTimeout extends Error {
  override readonly name = 'AnswerTimeout'
  readonly code = 'ANSWER_TIMEOUT'

  constructor() {
    super('no complete answer in time')
  }
}

const untrusted = /^(?:CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/

function faultOf(error: Error & { code?: string }, started: boolean): FaultKind {
  const code = String(error.code ?? '')
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return 'closed'
  if (!started) {
    if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') return 'invalid'
    return untrusted.test(code) ? 'untrusted' : 'connect'
  }
  if (code === 'ANSWER_TIMEOUT') return 'timeout'
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return 'too-large'
  if (code === 'UND_ERR_HEADERS_OVERFLOW' || error.name === 'HTTPParserError') return 'protocol'
  return 'reset'
}
