/**
 * One request and what becomes of it, always in this order: written down, token, quota, faults before, scope, body,
 * the operation, faults after, answer.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from './answer.ts'
import { credentials } from './client-credentials.ts'
import type { RequestRule } from './fault-rules.ts'
import { textOfAnswer } from './platform-error.ts'
import { readBody, UnreadableBody } from './read-body.ts'
import type { Kept } from './received.ts'
import {
  badToken,
  bareStatus,
  expiredToken,
  missingScope,
  noToken,
  tooManyRequests,
} from './refusals.ts'
import type { RunningWorld } from './running-world.ts'
import type { Reading } from './sliding-window.ts'
import type { Operation } from './surface.ts'
import type { Token } from './token-desk.ts'

export class Exchange {
  readonly #world: RunningWorld
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #bytes: Buffer | undefined
  readonly #text: string
  readonly #entry: Kept
  #token: Token | null = null
  #quota: Reading | undefined

  constructor(world: RunningWorld, name: string, request: FastifyRequest, reply: FastifyReply) {
    this.#world = world
    this.#request = request
    this.#reply = reply
    this.#bytes = Buffer.isBuffer(request.body) ? request.body : undefined
    const isText = world.operations.get(name)?.body !== 'bytes'
    this.#text = isText ? (this.#bytes?.toString() ?? '') : ''
    this.#entry = world.received.add({
      at: world.time.now(),
      operation: name,
      method: request.method,
      path: request.url,
      headers: request.headers,
      text: this.#text,
    })
  }

  async serve(operation: Operation): Promise<FastifyReply> {
    const stranger = this.#identify(operation)
    if (stranger) return this.finish(stranger)
    const overQuota = this.#count()
    if (overQuota) return this.finish(overQuota)

    const instead = await this.#suffer(this.#strike('before'))
    if (instead === 'nothing') return this.#reply
    if (instead) return this.#send(instead)

    const answer = this.#unscoped(operation) ?? this.#act(operation)
    if (!this.#entry.acted) return this.finish(answer)
    const spoilt = await this.#suffer(this.#strike('after'), answer)
    if (spoilt === 'nothing') return this.#reply
    return spoilt ? this.#send(spoilt) : this.finish(answer)
  }

  finish(answer: Answer): FastifyReply {
    return this.#send({ answer, text: this.#textOf(answer) })
  }

  /** Who is calling. An open operation lets strangers in, but still knows a token when it sees one. */
  #identify(operation: Operation): Answer | undefined {
    const header = this.#request.headers.authorization
    if (operation.body === 'form') {
      this.#entry.clientId = credentials(header, new URLSearchParams(this.#text))?.id ?? null
    }
    const value = /^bearer +(\S+)$/i.exec(header ?? '')?.[1]
    const check = value === undefined ? undefined : this.#world.tokens.check(value)
    if (check && check.kind !== 'unknown') {
      this.#entry.clientId = check.token.clientId
      this.#entry.tokenNumber = check.token.number
    }
    if (check?.kind === 'good') this.#token = check.token
    if (this.#token || operation.access === 'open') return undefined
    if (value === undefined) return noToken()
    return check?.kind === 'expired' ? expiredToken() : badToken()
  }

  #count(): Answer | undefined {
    if (!this.#token) return undefined
    const { quotas, behaviour, time } = this.#world
    const surface = this.#entry.operation.split('.', 1)[0] ?? ''
    const reading = quotas.count(this.#token.clientId, surface, behaviour, time.now())
    this.#quota = reading
    if (!reading) return undefined
    this.#reply.headers({
      'inin-ratelimit-count': reading.used,
      'inin-ratelimit-allowed': reading.limit,
      'inin-ratelimit-reset': Math.ceil(reading.resetMs / 1_000),
    })
    if (reading.allowed) return undefined
    return tooManyRequests(reading, behaviour, time.now())
  }

  #unscoped({ access }: Operation): Answer | undefined {
    if (access === 'open' || access === 'any') return undefined
    const missing = access.find((scope) => !this.#token?.scopes.has(scope))
    if (missing === undefined) return undefined
    return missingScope(missing, this.#world.behaviour.missingScopeStatus)
  }

  #act(operation: Operation): Answer {
    const { headers, params, url } = this.#request
    const body = readBody(operation, this.#bytes, String(headers['content-type']))
    if (body instanceof UnreadableBody) return body.answer
    const answer = operation.answer({
      params: params as Record<string, string>,
      query: new URL(url, 'http://simulator').searchParams,
      headers,
      host: headers.host ?? '',
      body,
      token: this.#token,
      quota: this.#quota,
    })
    this.#entry.acted = answer.status < 400
    return answer
  }

  #strike(when: 'before' | 'after'): RequestRule[] {
    const { operation, clientId } = this.#entry
    const target = { operation, clientId, path: this.#request.url, body: this.#text }
    return this.#world.faults.strike(when, target)
  }

  /** Undefined when the request goes on as if nothing had been; `nothing` when no answer will ever come. */
  async #suffer(
    rules: RequestRule[],
    answer: Answer = { status: 200, body: {} },
  ): Promise<Outgoing | 'nothing' | undefined> {
    for (const rule of rules) {
      this.#entry.fault = rule.kind
      switch (rule.kind) {
        case 'latency': {
          const release = this.#hold()
          await this.#world.time.sleep(rule.latencyMs)
          release()
          break
        }
        case 'status': {
          const faulted = bareStatus(rule.status, rule.retryAfter)
          return { answer: faulted, text: this.#textOf(faulted, rule.body) }
        }
        case 'rate-limit': {
          const refusal = bareStatus(429, rule.retryAfter)
          return { answer: refusal, text: this.#textOf(refusal) }
        }
        case 'malformed':
          return { answer, text: `${this.#textOf(answer).slice(0, -1)}, <<` }
        case 'reset':
          this.#hijack()
          this.#request.raw.socket.resetAndDestroy()
          return 'nothing'
        case 'hang':
          this.#hold()
          this.#hijack()
          return 'nothing'
        case 'truncated':
          this.#truncate(answer)
          return 'nothing'
      }
    }
    return undefined
  }

  #truncate(answer: Answer): void {
    const bytes = Buffer.from(this.#textOf(answer))
    this.#hijack()
    const { raw } = this.#reply
    raw.writeHead(answer.status, {
      'content-type': 'application/json',
      'content-length': bytes.length,
    })
    raw.write(bytes.subarray(0, bytes.length / 2), () => raw.destroy())
  }

  /** Lets a reset end this connection, which may never end by itself. Returns the way back. */
  #hold(): () => void {
    const { socket } = this.#request.raw
    const { held } = this.#world
    const release = () => {
      held.delete(socket)
      socket.off('close', release)
    }
    held.add(socket)
    socket.once('close', release)
    return release
  }

  /** From here on Fastify leaves the socket alone. */
  #hijack(): void {
    this.#world.received.settle(this.#entry)
    this.#reply.hijack()
  }

  #send({ answer, text }: Outgoing): FastifyReply {
    this.#entry.answeredStatus = answer.status
    this.#world.received.settle(this.#entry)
    this.#reply.code(answer.status).headers(answer.headers ?? {})
    this.#reply.header('inin-correlation-id', this.#contextId())
    if (Buffer.isBuffer(answer.body)) return this.#reply.send(answer.body)
    if (text === '') return this.#reply.send()
    return this.#reply.header('content-type', 'application/json').send(text)
  }

  #textOf(answer: Answer, body?: unknown): string {
    return textOfAnswer(answer, this.#contextId(), body)
  }

  #contextId(): string {
    return this.#world.chance.uuid('context', this.#entry.sequence)
  }
}

interface Outgoing {
  answer: Answer
  /** What goes over the wire, which need not be what the answer means. */
  text: string
}
