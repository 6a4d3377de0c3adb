import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { GenesysClient } from '../genesys/client.ts'
import type { Dialect, DialectSettings } from '../genesys/dialect.ts'
import type { Page, PageRequest, SessionFilter, Store } from '../store/store.ts'
import type { Trace } from '../trace.ts'
import type { Activation } from './activation.ts'
import type { Bridges } from './bridges.ts'
import type { Caller } from './caller.ts'
import { requireConsent } from './consent.ts'
import { createGuest, type NewSession } from './create.ts'
import type { Remember } from './messages.ts'
import type { SessionRegistry } from './registry.ts'
import type { Rotation } from './rotation.ts'
import type { Sender } from './sender.ts'
import { checkOpen, type DialectName, isOver, type Session } from './session.ts'
import { askedBy, closed, created } from './steps.ts'
import { consentChanged } from './stream-steps.ts'

export interface SessionsDeps {
  store: Store
  registry: SessionRegistry
  activation: Activation
  sender: Sender
  bridges: Bridges
  rotation: Rotation
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  settings: DialectSettings
  /** Regions that need explicit marketing and personalization consent. */
  strictConsentRegions: readonly string[]
  /** Throws `dialect-not-configured`. */
  dialect(name: DialectName): Dialect
  /** Throws `origin-not-allowed` for an origin a guest's stream may not come from. */
  requireOrigin(origin: string): void
  /** For one call with its retries. */
  callTimeoutMs: number
}

/** Everything a caller can do with sessions; for their messages see messages.ts. Refuses with GatewayError. */
export class Sessions {
  readonly #deps: SessionsDeps
  readonly #stopping = new AbortController()

  constructor(deps: SessionsDeps) {
    this.#deps = deps
  }

  /** Makes a guest on the platform and keeps its session. Nothing is stored when the platform refuses. */
  async create(asked: NewSession, caller: Caller, remember?: Remember<Session>): Promise<Session> {
    const { store, registry, activation, clock, callTimeoutMs } = this.#deps
    const dialect = this.#deps.dialect(asked.dialect)
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
    const guest = await createGuest(
      { ...this.#deps, timeoutMs: callTimeoutMs, signal: this.#stopping.signal },
      dialect,
      asked,
      caller,
    )
    const step = created(guest, askedBy(caller, clock.now()))
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

  /** The session as callers see it, as JSON text, when it is in memory; undefined says nothing about the store. */
  peekText(id: string): string | undefined {
    return this.#deps.registry.peekText(id)
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
    const { registry, sender, bridges, clock } = this.#deps
    let open: Session | undefined
    const session = await registry.change(id, (current) => {
      if (isOver(current)) return undefined
      open = current
      return how(current, askedBy(caller, clock.now()))
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
      const { capabilities } = this.#deps.dialect(current.dialect)
      if (capabilities.consent) requireConsent(strictConsentRegions, current.region, flags)
      const consent = { ...flags, recordedAt: clock.now() }
      return consentChanged(current, consent, askedBy(caller, clock.now()))
    })
  }

  /** Shows the other side that the guest types. Throws `not-supported-by-dialect`. */
  async typing(id: string, trace: Trace | null = null): Promise<void> {
    const session = await this.#deps.registry.get(id)
    const dialect = this.#deps.dialect(session.dialect)
    const frameOf = dialect.stream?.typing
    if (!frameOf) {
      throw new GatewayError(
        'not-supported-by-dialect',
        `${dialect.name} cannot show that the guest types`,
      )
    }
    // First, because what is over has no token left to write a frame with.
    checkOpen(session)
    await this.#deps.bridges.type(session, frameOf(session, trace))
  }

  /** Lets everybody who waits go on with what is known now; for stopping. */
  release(): void {
    this.#stopping.abort()
  }
}
