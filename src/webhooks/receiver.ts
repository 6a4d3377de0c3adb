import { Agent, request } from 'undici'
import { guardedConnector, type Resolve } from '../public-addresses.ts'

export interface Delivery {
  url: string
  headers: Record<string, string>
  body: string
  /** Breaks it off. */
  signal: AbortSignal
}

/** What the receiver made of a delivery. */
export type Receipt =
  | { kind: 'answered'; status: number; retryAfter: string | null }
  | { kind: 'unanswered'; error: string }

const timeoutMs = 5000

/** Hands deliveries to receivers: five seconds each, no redirects, only to addresses the guard lets through. */
export class Receivers implements AsyncDisposable {
  readonly #agent: Agent

  constructor(allowPrivate: boolean, resolve?: Resolve) {
    // As many connections to a host as it has destinations: one that hangs must not hold up its neighbours.
    this.#agent = new Agent({ connect: guardedConnector(allowPrivate, timeoutMs, resolve) })
  }

  async deliver({ url, headers, body, signal }: Delivery): Promise<Receipt> {
    try {
      const answer = await request(url, {
        method: 'POST',
        headers,
        body,
        dispatcher: this.#agent,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
      // The status is the answer. Nothing in the body matters, and a long or endless one must not cost us.
      await answer.body.dump({ limit: 64 * 1024 }).catch(() => undefined)
      const { 'retry-after': after } = answer.headers
      const retryAfter = typeof after === 'string' ? after : null
      return { kind: 'answered', status: answer.statusCode, retryAfter }
    } catch (error) {
      return { kind: 'unanswered', error: reasonOf(error) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no answer within ${timeoutMs} ms`
  // Of a host whose every address failed, only the code says why.
  return error.message || String((error as NodeJS.ErrnoException).code ?? error.name)
}
