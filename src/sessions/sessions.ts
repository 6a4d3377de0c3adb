import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { GenesysClient } from '../genesys/client.ts'
import type { Dialect, DialectSettings } from '../genesys/dialect.ts'
import type { IdempotencyRecord, Page, PageRequest, SessionFilter, Store } from '../store/store.ts'
import type { Trace } from '../trace.ts'
import type { Activation } from './activation.ts'
import type { Bridges } from './bridges.ts'
import type { Caller } from './caller.ts'
import { requireConsent } from './consent.ts'
import { createGuest, type NewSession } from './create.ts'
import type { JournalEvent } from './events.ts'
import type { Feed } from './feed.ts'
import { isSettled, type Message } from './message.ts'
import { authorOf, checkConversation, type NewMessage, newMessage } from './new-message.ts'
import type { Policy } from './policy.ts'
import type { SessionRegistry } from './registry.ts'
import type { Rotation } from './rotation.ts'
import type { Sender } from './sender.ts'
import { type DialectName, isOver, type Session, sessionOver } from './session.ts'
import { Settlements } from './settlements.ts'
import { accepted, acceptedAgain, type Cause, closed, created } from './steps.ts'
import { consentChanged } from './stream-steps.ts'

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

export interface SessionsDeps {
  store: Store
  registry: SessionRegistry
  feed: Feed
  activation: Activation
  sender: Sender
  bridges: Bridges
  rotation: Rotation
  policy: Policy
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  settings: DialectSettings
  /** Regions that need explicit marketing and personalization consent. */
  strictConsentRegions: readonly string[]
  dialect(name: DialectName): Dialect | undefined
  /** Throws `origin-not-allowed` for an origin a guest's stream may not come from. */
  requireOrigin(origin: string): void
  /** For one call with its retries. */
  callTimeoutMs: number
}

/** Everything a caller can do with sessions and messages. Refuses with GatewayError. */
export class Sessions {
  readonly #deps: SessionsDeps
  /** Messages somebody is just putting back in line: of two who ask at once, one does it. */
  readonly #retrying = new Set<string>()
  readonly #creating = new Set<Promise<Session>>()
  readonly #stopping = new AbortController()
  readonly #settlements: Settlements

  constructor(deps: SessionsDeps) {
    this.#deps = deps
    this.#settlements = new Settlements(deps.feed, deps.clock)
  }

  /** Makes a guest on the platform and keeps its session. Nothing is stored when the platform refuses. */
  async create(asked: NewSession, caller: Caller, remember?: Remember<Session>): Promise<Session> {
    const { store, registry, activation, callTimeoutMs } = this.#deps
    const dialect = this.#dialect(asked.dialect)
    if (dialect.capabilities.consent) {
      requireConsent(this.#deps.strictConsentRegions, asked.region, asked.consent)
    }
    if (dialect.stream && asked.origin !== null) this.#deps.requireOrigin(asked.origin)
    const trouble = store.trouble()
    if (trouble) {
      // Better no guest than one nobody remembers.
      throw new GatewayError('overloaded', `The store cannot take writes: ${trouble}`, {
        retryable: true,
        retryAfterMs: 5000,
      })
    }
    const creating = createGuest(
      { ...this.#deps, timeoutMs: callTimeoutMs, signal: this.#stopping.signal },
      dialect,
      asked,
      caller,
    )
    this.#creating.add(creating)
    const guest = await creating.finally(() => this.#creating.delete(creating))
    const step = created(guest, this.#cause(caller))
    const session = await registry.insert({ ...step, idempotency: remember?.(step.session) })
    activation.watch(session, caller.trace)
    this.#deps.bridges.start(session, caller.trace)
    this.#deps.rotation.watch(session)
    return session
  }

  /** Throws `session-not-found`. */
  get(id: string): Promise<Session> {
    return this.#deps.registry.get(id)
  }

  /** The session once it is no longer pending, or as it is after `timeoutMs` or when the process stops. */
  async waitUntilActive(id: string, timeoutMs: number, signal?: AbortSignal): Promise<Session> {
    const { registry, activation, clock } = this.#deps
    const until = clock.now() + timeoutMs
    const stopping = this.#stopping.signal
    const ends = signal ? AbortSignal.any([signal, stopping]) : stopping
    let session = await registry.get(id)
    while (session.state === 'pending' && clock.now() < until && !ends.aborted) {
      await activation.wait(session, until, ends)
      session = await registry.get(id)
    }
    return session
  }

  list(filter: SessionFilter, page: PageRequest): Promise<Page<Session>> {
    return this.#deps.store.listSessions(filter, page)
  }

  /** Ends the session here, `how`. Closing what is over changes nothing and answers the same. */
  async close(id: string, caller: Caller, how = closed): Promise<Session> {
    const { registry, sender, bridges } = this.#deps
    let open: Session | undefined
    const session = await registry.change(id, (current) => {
      if (isOver(current)) return undefined
      open = current
      return how(current, this.#cause(caller))
    })
    sender.wake(id)
    // The guest as it was: what is over has no token left to say goodbye with.
    if (open) await bridges.stop(open, caller.trace)
    return session
  }

  /** Replaces the guest's token now. Throws `not-supported-by-dialect` where it has none. */
  refresh(id: string, caller: Caller): Promise<Session> {
    return this.#deps.rotation.rotate(id, caller)
  }

  /** Records what the guest consents to from now on. Throws `consent-required` where the region needs more. */
  async changeConsent(
    id: string,
    flags: NonNullable<NewSession['consent']>,
    caller: Caller,
  ): Promise<Session> {
    const { registry, clock, strictConsentRegions } = this.#deps
    return registry.change(id, (current) => {
      checkOpen(current)
      const { capabilities } = this.#dialect(current.dialect)
      if (capabilities.consent) requireConsent(strictConsentRegions, current.region, flags)
      const consent = { ...flags, recordedAt: clock.now() }
      return consentChanged(current, consent, this.#cause(caller))
    })
  }

  /** Shows the other side that the guest types. Throws `not-supported-by-dialect`. */
  async typing(id: string, trace: Trace | null = null): Promise<void> {
    const session = await this.#deps.registry.get(id)
    const dialect = this.#dialect(session.dialect)
    const frame = dialect.stream?.typing?.(session, trace)
    if (!frame) {
      throw new GatewayError(
        'not-supported-by-dialect',
        `${dialect.name} cannot show that the guest types`,
      )
    }
    checkOpen(session)
    await this.#deps.bridges.type(session, frame)
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
    const dialect = this.#dialect(session.dialect)
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
      const step = accepted(current, message, this.#cause(caller))
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
    if (this.#retrying.has(messageId)) throw notRetryable('being sent again')
    this.#retrying.add(messageId)
    try {
      const before = await this.message(sessionId, messageId)
      if (!isRetryable(before)) throw notRetryable(before.status)
      this.#deps.sender.admit(sessionId)
      const waits = waiting.kind === 'wait' ? 'caller' : 'session'
      await this.#deps.registry.change(sessionId, (current) => {
        checkOpen(current)
        const step = acceptedAgain(
          current,
          { ...before, waits, trace: caller.trace },
          this.#cause(caller),
        )
        const [again = before] = step.messages
        return { ...step, idempotency: remember?.(again) }
      })
    } finally {
      this.#retrying.delete(messageId)
    }
    return this.#send(await this.message(sessionId, messageId), caller, waiting)
  }

  /** Throws `session-not-found` or `message-not-found`. */
  async message(sessionId: string, messageId: string): Promise<Message> {
    await this.#deps.registry.get(sessionId)
    const message = await this.#deps.store.findMessage(sessionId, messageId)
    if (message) return message
    throw new GatewayError('message-not-found', `The session has no message ${messageId}`)
  }

  async transcript(sessionId: string, page: PageRequest): Promise<Page<Message>> {
    await this.#deps.registry.get(sessionId)
    return this.#deps.store.listMessages(sessionId, page)
  }

  /** Waits for a message that another request brought in. */
  async outcome(sessionId: string, messageId: string, waitMs: number): Promise<Injected> {
    const { outcome, cancel } = this.#settlements.of(messageId, waitMs)
    try {
      const message = await this.message(sessionId, messageId)
      if (isSettled(message)) return { message, outcome: undefined }
      const settled = await outcome
      return { message: await this.message(sessionId, messageId), outcome: settled }
    } finally {
      cancel()
    }
  }

  /** Lets everybody who waits go on with what is known now; for stopping. */
  release(): void {
    this.#stopping.abort()
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

  #dialect(name: DialectName): Dialect {
    const dialect = this.#deps.dialect(name)
    if (dialect) return dialect
    throw new GatewayError('dialect-not-configured', `The dialect ${name} is not configured here`)
  }

  #cause(caller: Caller): Cause {
    return { at: this.#deps.clock.now(), actor: caller.name, trace: caller.trace }
  }
}

function checkOpen(session: Session): void {
  if (isOver(session)) throw sessionOver(session)
}

function isRetryable({ status }: Message): boolean {
  return status === 'failed' || status === 'unconfirmed'
}

function notRetryable(is: string): GatewayError {
  const detail = `The message is ${is}; only failed and unconfirmed ones can be sent again`
  return new GatewayError('message-not-retryable', detail)
}
