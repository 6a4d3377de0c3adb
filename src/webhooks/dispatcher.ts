import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { checkPublicUrl, wrongWithUrl } from '../public-addresses.ts'
import type { EventType } from '../sessions/events.ts'
import { newId } from '../sessions/ids.ts'
import type { Store } from '../store/store.ts'
import type { Tracer } from '../tracing.ts'
import { backlogOf } from './backlog.ts'
import { bookmarkOf, Destination, saveProgress } from './destination.ts'
import { progressFrom } from './progress.ts'
import type { Receivers } from './receiver.ts'
import { secretText } from './signature.ts'
import type { Attempt, Progress, Webhook, WebhookFormat } from './webhook.ts'

export interface NewWebhook {
  url: string
  eventTypes: EventType[]
  format: WebhookFormat
  headers: Record<string, string>
  apiKeyName?: string | null
}

export interface DispatcherDeps {
  store: Store
  /** Who a session is about; undefined for one that is gone. */
  guestOf(
    sessionId: string,
  ): Promise<{ guestId: string; conversationId: string | null } | undefined>
  clock: Clock
  tracer?: Tracer | undefined
  receivers: Receivers
  allowPrivate: boolean
  onTrouble(webhookId: string, error: unknown): void
  /** Something operators should know that is no error of ours. */
  onNotice(webhookId: string, text: string, fields?: object): void
}

const bookName = 'webhooks'
/** Both secrets sign so long after a rotation. */
const overlapMs = 24 * 3_600_000

/** Every destination, each following the journal by itself: one that is slow or dead is nothing to the others. */
export class Dispatcher implements AsyncDisposable {
  readonly #deps: DispatcherDeps
  readonly #destinations = new Map<string, Destination>()
  readonly #unfollow: () => void

  private constructor(deps: DispatcherDeps) {
    this.#deps = deps
    this.#unfollow = deps.store.follow(() => {
      for (const destination of this.#destinations.values()) destination.notice()
    })
  }

  /** Takes up the destinations of earlier processes and those the settings name. */
  static async open(deps: DispatcherDeps, asked: readonly NewWebhook[]): Promise<Dispatcher> {
    const fromSettings = asked.filter((one) => mayBeCalled(one, deps))
    const dispatcher = new Dispatcher(deps)
    const saved = await deps.store.readBookmark(bookName)
    const known = saved ? (JSON.parse(deps.store.unseal(saved.state)) as Webhook[]) : []
    const named = (webhook: Webhook) =>
      fromSettings.some((one) => one.url === webhook.url && one.format === webhook.format)
    for (const webhook of known) {
      // What the settings no longer name is gone; what was made by API stays.
      if (!webhook.fromSettings || named(webhook)) await dispatcher.#start(webhook)
      else await dispatcher.#forget(webhook.id)
    }
    for (const asked of fromSettings) {
      const there = [...dispatcher.#destinations.values()].some(
        ({ webhook }) =>
          webhook.fromSettings && webhook.url === asked.url && webhook.format === asked.format,
      )
      if (!there) await dispatcher.#add(asked, true)
    }
    await dispatcher.#save()
    return dispatcher
  }

  list(): Webhook[] {
    return [...this.#destinations.values()].map(({ webhook }) => webhook)
  }

  /** Throws `webhook-not-found`. */
  find(id: string): Webhook {
    return this.#destination(id).webhook
  }

  /** Throws `invalid-request` for a target that may not be delivered to. Events from now on are delivered. */
  async create(asked: NewWebhook): Promise<{ webhook: Webhook; secret: string }> {
    checkPublicUrl(asked.url, this.#deps.allowPrivate, '/url')
    const webhook = await this.#add(asked, false)
    try {
      await this.#save()
    } catch (error) {
      // The caller hears that there is none, and would never learn its secret.
      await this.#drop(webhook.id)
      throw error
    }
    return { webhook, secret: this.#secret(webhook, webhook.secretGeneration) }
  }

  async remove(id: string): Promise<void> {
    const removed = this.#destination(id).webhook
    await this.#save(this.list().filter((webhook) => webhook !== removed))
    await this.#drop(id)
  }

  /** A new secret; the old one signs beside it for a day. */
  async rotateSecret(id: string): Promise<{ webhook: Webhook; secret: string }> {
    const { secretGeneration, previousSecretUntil } = this.find(id)
    try {
      const webhook = await this.#update(id, (before) => ({
        ...before,
        secretGeneration: before.secretGeneration + 1,
        previousSecretUntil: this.#deps.clock.now() + overlapMs,
      }))
      return { webhook, secret: this.#secret(webhook, webhook.secretGeneration) }
    } catch (error) {
      // Nobody learns the new one, so the receiver could not follow.
      const destination = this.#destination(id)
      destination.update({ ...destination.webhook, secretGeneration, previousSecretUntil })
      throw error
    }
  }

  progress(id: string): Readonly<Progress> {
    return this.#destination(id).progress
  }

  /** What was tried of these events, as far as it is remembered. */
  triesOf(eventIds: ReadonlySet<string>): (Attempt & { webhookId: string })[] {
    return [...this.#destinations.values()].flatMap(({ webhook, progress }) =>
      progress.attempts
        .filter(({ eventId }) => eventIds.has(eventId))
        .map((attempt) => ({ ...attempt, webhookId: webhook.id })),
    )
  }

  /** Delivers that event and all after it again, to a destination that was disabled too. Throws `invalid-request`. */
  async replay(id: string, eventId: string): Promise<void> {
    const destination = this.#destination(id)
    const position = await this.#deps.store.positionOf(eventId)
    if (position === undefined) {
      const errors = [{ pointer: '/from', detail: 'is not an event that is kept' }]
      throw new GatewayError('invalid-request', '/from is not an event that is kept', { errors })
    }
    // First: once enabled it goes on from where it is.
    const moved = destination.replayFrom(position)
    await this.#update(id, (before) => ({ ...before, disabledReason: null }))
    await moved
  }

  /** Events were rewritten: nothing is delivered as it was before. */
  readAgain(): void {
    for (const destination of this.#destinations.values()) destination.readAgain()
  }

  /** Over all destinations; `oldestAt` (epoch ms) is that of the slowest, null when nothing waits. */
  async backlog(): Promise<{ pending: number; deadLettered: number; oldestAt: number | null }> {
    const destinations = [...this.#destinations.values()]
    const backlogs = await Promise.all(
      destinations.map(({ webhook, progress }) => backlogOf(this.#deps.store, webhook, progress)),
    )
    const times = backlogs.flatMap(({ oldestAt }) => oldestAt ?? [])
    return {
      pending: sum(backlogs.map(({ events }) => events)),
      deadLettered: sum(destinations.map(({ progress }) => progress.deadLetters.length)),
      oldestAt: times.length === 0 ? null : Math.min(...times),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#unfollow()
    await Promise.all([...this.#destinations.values()].map((destination) => destination.stop()))
  }

  async #add(asked: NewWebhook, fromSettings: boolean): Promise<Webhook> {
    const webhook: Webhook = {
      apiKeyName: null,
      ...asked,
      id: newId('whk'),
      createdAt: this.#deps.clock.now(),
      secretGeneration: 1,
      previousSecretUntil: null,
      disabledReason: null,
      fromSettings,
    }
    const { store } = this.#deps
    const progress = progressFrom(await store.lastPosition())
    // Before anything is delivered: after a crash it must begin here, not at what is the end by then.
    await saveProgress(store, webhook.id, progress)
    await this.#start(webhook, progress)
    return webhook
  }

  async #start(webhook: Webhook, fresh?: Progress): Promise<void> {
    const { store } = this.#deps
    const saved = fresh ? undefined : await store.readBookmark(bookmarkOf(webhook.id))
    const progress = fresh ?? (saved && (JSON.parse(saved.state) as Progress))
    const begin = progress ?? progressFrom(await store.lastPosition())
    const destination = new Destination(webhook, begin, {
      ...this.#deps,
      secretsOf: (current) => this.#secretsOf(current),
      onGone: (id) => void this.#disable(id, 'the receiver answered 410'),
    })
    this.#destinations.set(webhook.id, destination)
    destination.start()
  }

  async #drop(id: string): Promise<void> {
    const destination = this.#destinations.get(id)
    this.#destinations.delete(id)
    await destination?.drop()
    await this.#forget(id)
  }

  /** What it was tried is nobody's any more; what is left of it by trouble does no harm. */
  async #forget(id: string): Promise<void> {
    const { store, onTrouble } = this.#deps
    await store.removeBookmark(bookmarkOf(id)).catch((error: unknown) => onTrouble(id, error))
  }

  async #disable(id: string, disabledReason: string): Promise<void> {
    const notice = 'a webhook was switched off: its receiver is gone; a replay switches it on'
    this.#deps.onNotice(id, notice, { reason: disabledReason })
    try {
      await this.#update(id, (before) => ({ ...before, disabledReason }))
    } catch (error) {
      this.#deps.onTrouble(id, error)
    }
  }

  async #update(id: string, change: (before: Webhook) => Webhook): Promise<Webhook> {
    const destination = this.#destination(id)
    const webhook = change(destination.webhook)
    destination.update(webhook)
    await this.#save()
    return webhook
  }

  #destination(id: string): Destination {
    const destination = this.#destinations.get(id)
    if (destination) return destination
    throw new GatewayError('webhook-not-found', `There is no webhook ${id}`)
  }

  #secretsOf(webhook: Webhook): string[] {
    const { secretGeneration, previousSecretUntil } = webhook
    const secrets = [this.#secret(webhook, secretGeneration)]
    if (previousSecretUntil !== null && previousSecretUntil > this.#deps.clock.now()) {
      secrets.push(this.#secret(webhook, secretGeneration - 1))
    }
    return secrets
  }

  /** Secrets are made again when needed, so that none is stored. */
  #secret({ id }: Webhook, generation: number): string {
    return secretText(this.#deps.store.deriveKey(`webhook ${id} secret ${generation}`))
  }

  /** Sealed: headers and URLs hold what receivers know us by. */
  #save(webhooks = this.list()): Promise<void> {
    const { store } = this.#deps
    return store.writeBookmark(bookName, 0, store.seal(JSON.stringify(webhooks)))
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}

/** Of the settings' own: what may not be called is said, and left out. */
function mayBeCalled({ url, format }: NewWebhook, { allowPrivate, onNotice }: DispatcherDeps) {
  const wrong = wrongWithUrl(url, allowPrivate)
  if (wrong === undefined) return true
  onNotice('settings', `the ${format} webhook of the settings is left out: its URL ${wrong}`)
  return false
}
