/** The messages of sessions: taken in, sent again, found, and waited for. */
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Dialect } from '../genesys/dialect.ts'
import type { IdempotencyRecord, Page, PageRequest, Store } from '../store/store.ts'
import type { Caller } from './caller.ts'
import type { JournalEvent } from './events.ts'
import type { Feed } from './feed.ts'
import { isSettled, type Message } from './message.ts'
import { authorOf, checkConversation, type NewMessage, newMessage } from './new-message.ts'
import type { Policy } from './policy.ts'
import type { SessionRegistry } from './registry.ts'
import type { Sender } from './sender.ts'
import { checkOpen, type DialectName } from './session.ts'
import { Settlements } from './settlements.ts'
import { accepted, acceptedAgain, askedBy } from './steps.ts'

/** `wait`: answer when the outcome is known, or after `waitMs` at the latest. `async`: answer once it is durable. */
export type Waiting = { kind: 'wait'; waitMs: number | null } | { kind: 'async' }

/** What became of a message that was brought in. */
export interface Injected {
  /** As it is now, where nothing settled it while somebody waited; else as it was accepted. */
  message: Message
  /** The event that settled it. */
  outcome: JournalEvent | undefined
}

/** Makes the record that is stored in the same commit as what it is about. */
export type Remember<T> = (result: T) => IdempotencyRecord | undefined

export interface MessagesDeps {
  store: Store
  registry: SessionRegistry
  feed: Feed
  sender: Sender
  policy: Policy
  clock: Clock
  /** Throws `dialect-not-configured`. */
  dialect(name: DialectName): Dialect
}

/** Everything a caller can do with messages. Refuses with GatewayError. */
export class Messages {
  readonly #deps: MessagesDeps
  /** Messages somebody is just putting back in line: of two who ask at once, one does it. */
  readonly #retrying = new Set<string>()
  readonly #settlements: Settlements

  constructor(deps: MessagesDeps) {
    this.#deps = deps
    this.#settlements = new Settlements(deps.feed, deps.clock)
  }

  /** Takes a message in; resolves with it as `waiting` asks: settled, or still on its way. */
  async inject(
    sessionId: string,
    asked: NewMessage,
    caller: Caller,
    waiting: Waiting,
    remember?: Remember<Message>,
  ): Promise<Injected> {
    const { registry, sender, policy, clock } = this.#deps
    const session = await registry.get(sessionId)
    const dialect = this.#deps.dialect(session.dialect)
    const texts = policy.texts(asked.text, asked.oversize)
    policy.checkAttachments(asked.attachments)
    const author = authorOf(dialect, asked)
    checkOpen(session)
    checkConversation(session, asked.conversationId)
    sender.admit(sessionId)

    let message: Message | undefined
    await registry.change(sessionId, (current) => {
      checkOpen(current)
      const { trace } = caller
      message = newMessage(current, author, asked, texts, waiting.kind, { at: clock.now(), trace })
      const step = accepted(current, message, askedBy(caller, clock.now()))
      return { ...step, idempotency: remember?.(message) }
    })
    if (!message) throw new Error('the registry did not ask for the change')
    return this.#send(message, caller, waiting)
  }

  /** Sends a `failed` or `unconfirmed` message again. Throws `message-not-retryable` for any other. */
  async retry(
    sessionId: string,
    messageId: string,
    caller: Caller,
    waiting: Waiting,
    remember?: Remember<Message>,
  ): Promise<Injected> {
    const { registry, sender, clock } = this.#deps
    if (this.#retrying.has(messageId)) throw notRetryable('being sent again')
    this.#retrying.add(messageId)
    try {
      const before = await this.get(sessionId, messageId)
      if (!isRetryable(before)) throw notRetryable(before.status)
      sender.admit(sessionId)
      const waits = waiting.kind === 'wait' ? 'caller' : 'session'
      await registry.change(sessionId, (current) => {
        checkOpen(current)
        const step = acceptedAgain(
          current,
          { ...before, waits, trace: caller.trace },
          askedBy(caller, clock.now()),
        )
        const [again = before] = step.messages
        return { ...step, idempotency: remember?.(again) }
      })
    } finally {
      this.#retrying.delete(messageId)
    }
    return this.#send(await this.get(sessionId, messageId), caller, waiting)
  }

  /** Throws `session-not-found` or `message-not-found`. */
  async get(sessionId: string, messageId: string): Promise<Message> {
    await this.#deps.registry.get(sessionId)
    const message = await this.#deps.store.findMessage(sessionId, messageId)
    if (message) return message
    throw new GatewayError('message-not-found', `The session has no message ${messageId}`)
  }

  async list(sessionId: string, page: PageRequest): Promise<Page<Message>> {
    await this.#deps.registry.get(sessionId)
    return this.#deps.store.listMessages(sessionId, page)
  }

  /** Waits for a message that another request brought in. */
  async outcome(sessionId: string, messageId: string, waitMs: number): Promise<Injected> {
    const { outcome, cancel } = this.#settlements.of(messageId, waitMs)
    try {
      const message = await this.get(sessionId, messageId)
      if (isSettled(message)) return { message, outcome: undefined }
      const settled = await outcome
      return { message: await this.get(sessionId, messageId), outcome: settled }
    } finally {
      cancel()
    }
  }

  /** Lets everybody who waits go on with what is known now; for stopping. */
  release(): void {
    this.#settlements.release()
  }

  async #send(message: Message, caller: Caller, waiting: Waiting): Promise<Injected> {
    const { sender, store } = this.#deps
    if (waiting.kind === 'async') {
      sender.add(message, caller)
      return { message, outcome: undefined }
    }
    // The sender keeps the caller's deadline; a little more than that only passes when the store has trouble.
    const waitMs = waiting.waitMs ?? sender.callerPatienceMs + 2000
    const { outcome, cancel } = this.#settlements.of(message.id, waitMs)
    sender.add(message, caller)
    const settled = await outcome
    cancel()
    if (settled) return { message, outcome: settled }
    const now = (await store.findMessage(message.sessionId, message.id)) ?? message
    if (!isSettled(now)) sender.bePatient(now)
    return { message: now, outcome: undefined }
  }
}

function isRetryable({ status }: Message): boolean {
  return status === 'failed' || status === 'unconfirmed'
}

function notRetryable(is: string): GatewayError {
  const detail = `The message is ${is}; only failed and unconfirmed ones can be sent again`
  return new GatewayError('message-not-retryable', detail)
}
