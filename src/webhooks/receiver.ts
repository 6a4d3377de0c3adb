import { Agent, request } from 'undici'
import { guardedLookup } from '../public-addresses.ts'

export interface Delivery {
  url: string
  headers: Record<string, string>
  body: string
}

/** What the receiver made of a delivery. */
export type Receipt =
  | { kind: 'answered'; status: number; retryAfterSeconds: number | null }
  | { kind: 'unanswered'; error: string }

const timeoutMs = 5000

/** Hands deliveries to receivers: five seconds each, no redirects, only to addresses the guard lets through. */
export class Receivers implements AsyncDisposable {
  readonly #agent: Agent

  constructor(allowPrivate: boolean) {
    this.#agent = new Agent({
      connect: { lookup: guardedLookup(allowPrivate), timeout: timeoutMs },
      // One connection a receiver: its deliveries follow one another anyway.
      connections: 2,
    })
  }

  async deliver({ url, headers, body }: Delivery): Promise<Receipt> {
    try {
      const answer = await request(url, {
        method: 'POST',
        headers,
        body,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(timeoutMs),
      })
      // Nothing in the answer's body matters; a long one must not cost us.
      await answer.body.dump({ limit: 64 * 1024 })
      const after = Number(answer.headers['retry-after'])
      const retryAfterSeconds = Number.isFinite(after) ? after : null
      return { kind: 'answered', status: answer.statusCode, retryAfterSeconds }
    } catch (error) {
      return { kind: 'unanswered', error: error instanceof Error ? error.message : String(error) }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy()
  }
}
