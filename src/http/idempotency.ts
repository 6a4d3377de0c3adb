/**
 * `Idempotency-Key`: the same request under the same key gets the first answer; so does a message of a session's
 * WebSocket under its client's own id. The record is made durable together with what it is about (see `Remember` in
 * sessions/), so a crash cannot separate the two. Answers worth repeating are kept: successes, and refusals that would
 * be repeated; a failure that may pass gives its key free.
 */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { IdempotencyRecord, Store } from '../store/store.ts'
import { invalidRequest } from './validation.ts'

const keptMs = 24 * 3_600_000

export interface Answer {
  status: number
  location: string | null
  /** JSON text; empty with a 204. */
  body: string
  /** It carries a credential, so it is kept sealed. */
  isSecret?: boolean
}

const sealedPrefix = 'sealed:'

/** One request and its key. Without a key every method does nothing. */
export interface Attempt {
  /** The first answer, when there was one. */
  readonly first: Answer | undefined
  /** What the first request made, when it was never answered; `messageId` is null for a session. */
  readonly unanswered: { sessionId: string; messageId: string | null } | undefined
  /** The record to commit with the thing; its answer is null while it is not known. */
  record(
    sessionId: string,
    messageId: string | null,
    answer: Answer | null,
  ): IdempotencyRecord | undefined
  /** Keeps the final answer. */
  answered(sessionId: string, messageId: string | null, answer: Answer): Promise<void>
  /** Nothing worth repeating happened: the key is free again. */
  release(): Promise<void>
  /** The request is over; another one of this key may begin. */
  [Symbol.dispose](): void
}

export class Idempotency {
  readonly #store: Store
  readonly #clock: Clock
  readonly #onTrouble: (error: unknown) => void
  readonly #running = new Map<string, string>()

  constructor(store: Store, clock: Clock, onTrouble: (error: unknown) => void) {
    this.#onTrouble = onTrouble
    this.#store = store
    this.#clock = clock
  }

  /** Throws `idempotency-key-reused`, `idempotency-key-in-progress`, or `invalid-request` for a key of another shape. */
  async begin(request: FastifyRequest, principal: string): Promise<Attempt> {
    const header = request.headers['idempotency-key']
    if (header === undefined) return withoutKey
    if (typeof header !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(header)) {
      const detail = 'must be 1 to 255 visible ASCII characters'
      throw invalidRequest([{ pointer: 'header:idempotency-key', detail }])
    }
    return this.#begin(`${principal}:${header}`, fingerprintOf(request))
  }

  /**
   * The same for what a client says on a session's WebSocket: its own id is the key, whichever connection it comes on
   * and whoever holds that. Throws as `begin` does.
   */
  beginFrame(sessionId: string, id: string, text: string): Promise<Attempt> {
    // No request's key has a space in it.
    return this.#begin(`frame ${sessionId} ${id}`, digestOf(text))
  }

  async #begin(key: string, fingerprint: string): Promise<Attempt> {
    const running = this.#running.get(key)
    if (running !== undefined) throw running === fingerprint ? inProgress() : reused()
    this.#running.set(key, fingerprint)
    try {
      const record = await this.#store.findIdempotency(key)
      if (record && record.fingerprint !== fingerprint) throw reused()
      return this.#attempt(key, fingerprint, record)
    } catch (error) {
      this.#running.delete(key)
      throw error
    }
  }

  #attempt(key: string, fingerprint: string, found: IdempotencyRecord | undefined): Attempt {
    const expiresAt = this.#clock.now() + keptMs
    const record = (sessionId: string, messageId: string | null, answer: Answer | null) => ({
      key,
      fingerprint,
      answer: answer && this.#kept(answer),
      sessionId,
      messageId,
      expiresAt,
    })
    return {
      first: found?.answer ? this.#given(found.answer) : undefined,
      unanswered:
        found && !found.answer
          ? { sessionId: found.sessionId, messageId: found.messageId }
          : undefined,
      record,
      answered: async (session, message, answer) => {
        // The thing itself is done and stored; a repeat without this finds it by its id.
        await this.#store
          .saveIdempotency(record(session, message, answer))
          .catch((error: unknown) => this.#onTrouble(error))
      },
      release: () => this.#store.removeIdempotency(key),
      [Symbol.dispose]: () => this.#running.delete(key),
    }
  }

  #kept({ status, location, body, isSecret }: Answer) {
    return { status, location, body: isSecret ? sealedPrefix + this.#store.seal(body) : body }
  }

  #given({ status, location, body }: NonNullable<IdempotencyRecord['answer']>): Answer {
    const isSealed = body.startsWith(sealedPrefix)
    const text = isSealed ? this.#store.unseal(body.slice(sealedPrefix.length)) : body
    return { status, location, body: text }
  }
}

/** Sends an answer; a repeated one says so. */
export function sendAnswer(reply: FastifyReply, answer: Answer, replayed: boolean): void {
  if (replayed) reply.header('idempotent-replayed', 'true')
  if (answer.location !== null) reply.header('location', answer.location)
  if (answer.status === 204) {
    reply.code(204).send()
    return
  }
  const type = answer.status < 400 ? 'application/json' : 'application/problem+json'
  reply.code(answer.status).type(`${type}; charset=utf-8`).send(answer.body)
}

const withoutKey: Attempt = {
  first: undefined,
  unanswered: undefined,
  record: () => undefined,
  answered: async () => undefined,
  release: async () => undefined,
  [Symbol.dispose]: () => undefined,
}

function fingerprintOf(request: FastifyRequest): string {
  return digestOf(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64')
}

function inProgress(): GatewayError {
  return new GatewayError(
    'idempotency-key-in-progress',
    'The first request of this key has not been answered',
    {
      retryable: true,
      retryAfterMs: 1000,
    },
  )
}

function reused(): GatewayError {
  const detail =
    'This key belongs to a request with another method, path or body, or this id to another text'
  return new GatewayError('idempotency-key-reused', detail)
}
