import { GatewayError, UpstreamError } from '../errors.ts'
import type { Tracer } from '../tracing.ts'
import type { Activation } from './activation.ts'
import type { Caller } from './caller.ts'
import { type DeliveryDeps, deliver, type MessageStep } from './delivery.ts'
import { type DeliverySpan, startDeliverySpan } from './delivery-span.ts'
import type { Message } from './message.ts'
import { Patience } from './patience.ts'
import { messageError, notActive, tooLate } from './send-errors.ts'
import { isOver, type Session, sessionOver } from './session.ts'
import { askedBy, failed, noted, unconfirmed } from './steps.ts'
import { untilStored } from './until-stored.ts'

export interface SenderDeps extends Omit<DeliveryDeps, 'signal' | 'record'> {
  activation: Activation
  tracer?: Tracer | undefined
  /** How long a message whose caller waits is held for a guest that is being routed. */
  activationMs: number
  /** How long one may take from then on, with its turn and the client's own retries. */
  attemptMs: number
  /** Told once per settled message; null when it was sent. */
  onSettled(error: GatewayError | null): void
  /** Told about what should not happen; the message stays in line. */
  onTrouble(message: Message, error: unknown): void
}

const maxPerSession = 1000
const maxInAll = 50_000

interface Entry {
  message: Message
  caller: Caller
  span: DeliverySpan | undefined
  patience: Patience
  /** It is with the client, who keeps the deadline. */
  leaving: boolean
  done: boolean
  /** Ends waiting early: a pause, and the wait for a turn at the platform. */
  wake: AbortController
  cancelTimer: () => void
  lastRefusal: GatewayError | null
}

/**
 * Sends the messages of each session one at a time, in the order they were accepted. Waits for activation, the quota
 * and the platform; a message whose caller waits gives up at its deadline, the others when their session ends.
 */
export class Sender {
  readonly #deps: SenderDeps
  readonly #queues = new Map<string, Entry[]>()
  readonly #stopping = new AbortController()
  readonly #runs = new Set<Promise<void>>()
  #waiting = 0

  constructor(deps: SenderDeps) {
    this.#deps = deps
  }

  /** Within which a message whose caller waits is settled. */
  get callerPatienceMs(): number {
    return this.#deps.activationMs + this.#deps.attemptMs
  }

  /** Messages that have not been settled. */
  get depth(): number {
    return this.#waiting
  }

  /** Throws `rate-limited` when no more can wait, for this session or in all. */
  admit(sessionId: string): void {
    const mine = this.#queues.get(sessionId)?.length ?? 0
    if (mine < maxPerSession && this.#waiting < maxInAll) return
    const where = mine >= maxPerSession ? 'for this session' : 'in all'
    throw new GatewayError('rate-limited', `As many messages wait ${where} as may`, {
      retryable: true,
      retryAfterMs: 5000,
    })
  }

  /** Puts a committed message in line. */
  add(message: Message, caller: Caller): void {
    if (this.#stopping.signal.aborted) return
    const { tracer, clock, attemptMs } = this.#deps
    const span = tracer && startDeliverySpan(tracer, message, caller)
    const entry: Entry = {
      message,
      caller: span?.caller ?? caller,
      span,
      patience: new Patience(clock, attemptMs, this.#deadlineOf(message)),
      leaving: false,
      done: false,
      wake: new AbortController(),
      cancelTimer: () => undefined,
      lastRefusal: null,
    }
    this.#waiting += 1
    const queue = this.#queues.get(message.sessionId)
    if (queue) {
      queue.push(entry)
      this.#armDeadline(entry)
      return
    }
    const started = [entry]
    this.#queues.set(message.sessionId, started)
    const run = this.#run(message.sessionId, started).finally(() => this.#runs.delete(run))
    this.#runs.add(run)
  }

  /** Its caller no longer waits for the answer: it may take as long as its session lives. */
  bePatient(message: Message): void {
    const entry = this.#queues
      .get(message.sessionId)
      ?.find((candidate) => candidate.message.id === message.id)
    if (!entry) return
    entry.patience.forget()
    entry.message = { ...entry.message, waits: 'session' }
    entry.cancelTimer()
  }

  /** The session ended: whoever waits in its line hears it now. */
  wake(sessionId: string): void {
    for (const entry of this.#queues.get(sessionId) ?? []) entry.wake.abort()
  }

  /** Starts nothing more and waits for what has left. What is still in line stays accepted in the store. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const queue of this.#queues.values()) {
      for (const entry of queue) {
        entry.cancelTimer()
        entry.wake.abort()
      }
    }
    await Promise.allSettled(this.#runs)
  }

  async #run(sessionId: string, queue: Entry[]): Promise<void> {
    for (let entry = queue[0]; entry && !this.#stopping.signal.aborted; entry = queue[0]) {
      try {
        await this.#bring(entry)
      } catch (error) {
        entry.leaving = false
        this.#deps.onTrouble(entry.message, error)
        await this.#deps.clock.sleep(1000, this.#stopping.signal).catch(() => undefined)
        continue
      }
      if (queue[0] === entry) queue.shift()
      this.#waiting -= 1
    }
    if (queue.length === 0) this.#queues.delete(sessionId)
  }

  /** Returns when the message is settled, or the sender stops. */
  async #bring(entry: Entry): Promise<void> {
    const { registry, activation } = this.#deps
    const record = async (message: Message, caller: Caller, step: MessageStep) => {
      await this.#record(message, caller, step)
      // Whatever stops this flight, the next one starts from here.
      entry.message = { ...message, waits: entry.message.waits }
    }
    for (let tries = 0; !entry.done && !this.#stopping.signal.aborted; ) {
      const session =
        registry.peek(entry.message.sessionId) ?? (await registry.find(entry.message.sessionId))
      if (!session) return this.#settled(entry, null)
      if (isOver(session)) return this.#fail(entry, sessionOver(session))
      if (session.state === 'pending' && !this.#onlyASendTells(session, tries)) {
        this.#armDeadline(entry)
        await activation.wait(session, Infinity, entry.wake.signal)
        continue
      }
      tries += 1
      if (session.state === 'active') entry.patience.begin()
      entry.leaving = true
      const outcome = await deliver(
        { ...this.#deps, signal: entry.wake.signal, record, queued: entry.span?.queued },
        entry.message,
        entry.caller,
        entry.patience.attemptDeadline,
      )
      entry.leaving = false
      if (outcome.kind === 'sent') return this.#settled(entry, null)
      entry.message = { ...outcome.message, waits: entry.message.waits }
      if (outcome.kind === 'unknown') {
        const { error } = outcome
        if (!(error instanceof UpstreamError) && error.cause) {
          this.#deps.onTrouble(entry.message, error)
        }
        return this.#lost(entry, error)
      }
      if (outcome.kind === 'refused') {
        const { error } = outcome
        const isLeftForLater = this.#stopping.signal.aborted && error.retryable
        const isCalledOff = entry.wake.signal.aborted && error.retryable
        if (!isCalledOff && !entry.patience.outlasts(error)) return this.#fail(entry, error)
        entry.lastRefusal = error
        await this.#record(entry.message, entry.caller, noted)
        if (isLeftForLater) return
        await this.#pause(entry, error.retryAfterMs ?? backoffMs(tries))
        continue
      }
      entry.patience.renew()
      this.#armDeadline(entry)
      if (session.state === 'active') {
        entry.lastRefusal = notActive('The platform takes nothing for this guest now')
        await activation.lookAgain(session)
      }
      await this.#pause(entry, Math.min(2000, 250 * 1.5 ** (tries - 1)), session)
    }
  }

  #deadlineOf({ sessionId, acceptedAt, waits }: Message): number {
    if (waits === 'session') return Infinity
    const { registry, activationMs, attemptMs } = this.#deps
    const pending = registry.peek(sessionId)?.state === 'pending'
    return acceptedAt + (pending ? activationMs : attemptMs)
  }

  /** Where the platform cannot be asked, and for a guest that is only routed once it has said something. */
  #onlyASendTells(session: Session, tries: number): boolean {
    return (
      !this.#deps.activation.canTell(session) || (tries === 0 && session.routing.queueId === null)
    )
  }

  /** Sleeps, or until woken; a pending session's news also ends it. */
  async #pause(entry: Entry, ms: number, session?: Session): Promise<void> {
    const { clock, activation } = this.#deps
    if (session?.state === 'pending') {
      return activation.wait(session, clock.now() + ms, entry.wake.signal)
    }
    // Rejects when woken, which is what a pause is for.
    await clock.sleep(ms, entry.wake.signal).catch(() => undefined)
  }

  #armDeadline(entry: Entry): void {
    entry.cancelTimer()
    const { deadline } = entry.patience
    if (deadline === Infinity) return
    const { clock } = this.#deps
    entry.cancelTimer = clock.after(Math.max(0, deadline - clock.now()), () => {
      if (entry.leaving || entry.done) return
      this.#expire(entry).catch((error: unknown) => this.#deps.onTrouble(entry.message, error))
    })
  }

  async #expire(entry: Entry): Promise<void> {
    entry.done = true
    const queue = this.#queues.get(entry.message.sessionId)
    if (queue && queue[0] !== entry) {
      queue.splice(queue.indexOf(entry), 1)
      this.#waiting -= 1
    }
    const session = await this.#deps.registry.find(entry.message.sessionId)
    await this.#fail(entry, tooLate(session, entry.lastRefusal))
    entry.wake.abort()
  }

  async #fail(entry: Entry, error: GatewayError): Promise<void> {
    const said = messageError(error)
    await this.#record(entry.message, entry.caller, (session, message, cause) =>
      failed(session, message, said, cause),
    )
    this.#settled(entry, error)
  }

  async #lost(entry: Entry, error: GatewayError): Promise<void> {
    const said = { ...messageError(error), retryable: false, retryAfterSeconds: null }
    await this.#record(entry.message, entry.caller, (session, message, cause) =>
      unconfirmed(session, message, said, cause),
    )
    this.#settled(entry, error)
  }

  /** Commits what is known, so it does not give up while the store has trouble. */
  async #record(message: Message, caller: Caller, step: MessageStep): Promise<void> {
    const { registry, clock } = this.#deps
    const isStopped = () => this.#stopping.signal.aborted
    await untilStored({ clock, isStopped }, () =>
      registry.change(message.sessionId, (session) =>
        step(session, message, askedBy(caller, clock.now())),
      ),
    )
  }

  #settled(entry: Entry, error: GatewayError | null): void {
    entry.done = true
    entry.cancelTimer()
    entry.span?.end(entry.message, error)
    this.#deps.onSettled(error)
  }
}

/** Full jitter, from one second to a minute. */
function backoffMs(tries: number): number {
  return 1000 + Math.random() * Math.min(60_000, 1000 * 2 ** tries)
}
