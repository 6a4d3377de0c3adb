/** Callers that ask for everything at once, and remember what they asked and what they were answered. */
import type { Dice } from '../../support/dice.ts'
import type { Answer } from '../../support/gateway.ts'
import type { GatewayProcess } from '../../support/gateway-process.ts'

export interface Asked {
  kind: 'create' | 'message'
  /** Unique; the name of the guest for a creation. */
  text: string
  key: string | null
  /** Undefined when the process died first, and when nothing was done. */
  answer: Answer | undefined
  /** The same request again. */
  repeat(gateway: GatewayProcess): Promise<Answer>
}

type Headers = Record<string, string>

const dialects = ['external-guests', 'conversations', 'guest-sessions', 'messaging-guests']

export class Load {
  readonly asked: Asked[] = []
  /** Answers of the current run. */
  answeredNow = 0
  readonly #dice: Dice
  readonly #sessions: string[] = []
  #count = 0

  constructor(dice: Dice) {
    this.#dice = dice
  }

  /** `callers` at once, each one request after the other, until the process is gone. */
  async run(gateway: GatewayProcess, callers: number): Promise<void> {
    this.answeredNow = 0
    let gone = false
    void gateway.exited.then(() => {
      gone = true
    })
    const call = async () => {
      while (!gone) await this.#askSomething(gateway)
    }
    await Promise.all(Array.from({ length: callers }, call))
  }

  #askSomething(gateway: GatewayProcess): Promise<void> {
    const roll = this.#dice.fraction()
    if (this.#sessions.length < 8 || roll < 0.1) return this.#create(gateway)
    return roll < 0.2 ? this.#batch(gateway) : this.#inject(gateway)
  }

  async #create(gateway: GatewayProcess): Promise<void> {
    const name = this.#next('guest')
    const { key, headers } = this.#key(name)
    const dialect = this.#dice.one(dialects)
    const repeat = ({ api }: GatewayProcess) => {
      return api('POST', '/v1/sessions', { dialect, guest: { name } }, headers)
    }
    const answer = await this.#ask(
      { kind: 'create', text: name, key, answer: undefined, repeat },
      gateway,
    )
    if (answer?.status === 201) this.#sessions.push(answer.body.id)
  }

  async #inject(gateway: GatewayProcess): Promise<void> {
    const text = this.#next('message')
    const route = `/v1/sessions/${this.#dice.one(this.#sessions)}/messages`
    const { key, headers } = this.#key(text)
    const prefer = this.#dice.one<Headers>([{}, { prefer: 'respond-async' }, { prefer: 'wait=1' }])
    const repeat = ({ api }: GatewayProcess) => {
      return api('POST', route, { text }, { ...headers, ...prefer })
    }
    await this.#ask({ kind: 'message', text, key, answer: undefined, repeat }, gateway)
  }

  async #ask(asked: Asked, gateway: GatewayProcess): Promise<Answer | undefined> {
    this.asked.push(asked)
    // The process may be killed at any moment: then there is no answer, and that is what is remembered.
    const answer = await asked.repeat(gateway).catch(() => undefined)
    if (answer) this.answeredNow += 1
    asked.answer = isRefusal(answer?.body) ? undefined : answer
    return asked.answer
  }

  /** Results are remembered line by line, as they came before the process died. */
  async #batch(gateway: GatewayProcess): Promise<void> {
    const texts = [1, 2, 3].map(() => this.#next('line'))
    const sessionId = this.#dice.one(this.#sessions)
    const lines = texts.map((text) => {
      const asked: Asked = { kind: 'message', text, key: null, answer: undefined, repeat: never }
      this.asked.push(asked)
      return asked
    })
    const answer = await gateway
      .api(
        'POST',
        '/v1/messages/batch',
        texts.map((text) => JSON.stringify({ sessionId, text })).join('\n'),
        { 'content-type': 'application/x-ndjson', ...(this.#dice.fraction() < 0.5 && async) },
      )
      .catch(() => undefined)
    if (!answer) return
    for (const result of String(answer.body).trim().split('\n')) {
      const { line, status, message, problem } = JSON.parse(result)
      const asked = lines[line - 1]
      const body = message ?? problem
      if (asked && !isRefusal(body)) asked.answer = { status, headers: answer.headers, body }
      this.answeredNow += 1
    }
  }

  #key(text: string): { key: string | null; headers: Headers } {
    const key = this.#dice.fraction() < 0.6 ? `key of ${text}`.replaceAll(' ', '-') : null
    return { key, headers: key === null ? {} : { 'idempotency-key': key } }
  }

  #next(what: string): string {
    this.#count += 1
    return `${what} ${this.#count}`
  }
}

const async = { prefer: 'respond-async' }

/** Load is shed, or the session ended with the stream that the last process had. */
function isRefusal(body: { code?: string } | undefined): boolean {
  return body?.code === 'overloaded' || body?.code === 'session-closed'
}

async function never(): Promise<Answer> {
  throw new Error('a line of a batch has no key to repeat')
}
