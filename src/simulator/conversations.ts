/**
 * The conversations of the platform, whichever surface opened them: routing until active, who said what, and the end.
 * Surfaces and the scripted agent watch them.
 */
import type { Chance } from './chance.ts'
import type { Behaviour } from './options.ts'
import type { MovableTime } from './time.ts'

export const authors = ['user', 'agent', 'bot', 'system'] as const
export type Author = (typeof authors)[number]

export interface Conversation {
  readonly id: string
  /** Name of the surface that opened it. */
  readonly surface: string
  readonly guestId: string
  /** The guest as the surface wants to remember it. */
  readonly guest: Readonly<Record<string, unknown>>
  readonly createdAt: number
  /** PENDING until something triggers routing, ROUTING until someone is found, then ACTIVE, then CLOSED. */
  status: 'PENDING' | 'ROUTING' | 'ACTIVE' | 'CLOSED'
  activatedAt: number | null
  closedAt: number | null
  readonly messages: Message[]
  /** How many messages each author has. */
  readonly said: Record<Author, number>
}

export interface Message {
  readonly id: string
  readonly author: Author
  readonly text: string
  /** Epoch ms. */
  readonly at: number
}

export type ConversationEvent =
  | { kind: 'message'; message: Message }
  | { kind: 'typing' }
  | { kind: 'status' }

export type Watcher = (conversation: Conversation, event: ConversationEvent) => void

export interface ConversationsDeps {
  chance: Chance
  time: MovableTime
  behaviour: Behaviour
  /** Past this many the oldest are forgotten. */
  limit: number
}

export class Conversations {
  readonly #deps: ConversationsDeps
  readonly #byId = new Map<string, Conversation>()
  readonly #byGuest = new Map<string, Conversation>()
  readonly #watchers = new Set<Watcher>()
  readonly #waitingForThaw = new Set<Conversation>()
  #opened = 0
  #frozen = false

  constructor(deps: ConversationsDeps) {
    this.#deps = deps
  }

  /** A new one, PENDING. `guestId` is made up when absent. */
  open(surface: string, guest: Readonly<Record<string, unknown>>, guestId?: string): Conversation {
    const { chance, time, limit } = this.#deps
    this.#opened += 1
    const conversation: Conversation = {
      id: chance.uuid('conversation', this.#opened),
      surface,
      guestId: guestId ?? chance.uuid('guest', this.#opened),
      guest,
      createdAt: time.now(),
      status: 'PENDING',
      activatedAt: null,
      closedAt: null,
      messages: [],
      said: { user: 0, agent: 0, bot: 0, system: 0 },
    }
    this.#byId.set(conversation.id, conversation)
    this.#byGuest.set(guestKey(surface, conversation.guestId), conversation)
    if (this.#byId.size > limit) this.#forgetOldest()
    return conversation
  }

  find(id: string): Conversation | undefined {
    return this.#byId.get(id)
  }

  ofGuest(surface: string, guestId: string): Conversation | undefined {
    return this.#byGuest.get(guestKey(surface, guestId))
  }

  /** Starts routing; nothing happens when it had started before. */
  route(conversation: Conversation): void {
    if (conversation.status !== 'PENDING') return
    const { time, behaviour } = this.#deps
    this.#become(conversation, 'ROUTING')
    time.after(behaviour.activationMs, () => {
      if (this.#frozen) this.#waitingForThaw.add(conversation)
      else this.#activate(conversation)
    })
  }

  say(conversation: Conversation, author: Author, text: string): Message {
    const { chance, time } = this.#deps
    // Numbered by author, so that an agent answering in between changes no id of the guest's.
    conversation.said[author] += 1
    const id = `msg-${chance.uuid('message', conversation.id, author, conversation.said[author])}`
    const message = { id, author, text, at: time.now() }
    conversation.messages.push(message)
    this.#tell(conversation, { kind: 'message', message })
    return message
  }

  /** The other side is typing. */
  type(conversation: Conversation): void {
    this.#tell(conversation, { kind: 'typing' })
  }

  close(conversation: Conversation): void {
    if (conversation.status === 'CLOSED') return
    conversation.closedAt = this.#deps.time.now()
    this.#become(conversation, 'CLOSED')
  }

  /** While frozen nobody becomes active; those whose time came meanwhile do so at the thaw. */
  freezeRouting(frozen: boolean): void {
    this.#frozen = frozen
    if (frozen) return
    for (const conversation of this.#waitingForThaw) this.#activate(conversation)
    this.#waitingForThaw.clear()
  }

  get frozen(): boolean {
    return this.#frozen
  }

  /** Returns how to stop. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  get count(): number {
    return this.#byId.size
  }

  newest(limit: number): Conversation[] {
    return [...this.#byId.values()].slice(-limit).reverse()
  }

  #activate(conversation: Conversation): void {
    if (conversation.status !== 'ROUTING') return
    conversation.activatedAt = this.#deps.time.now()
    this.#become(conversation, 'ACTIVE')
  }

  #become(conversation: Conversation, status: Conversation['status']): void {
    conversation.status = status
    this.#tell(conversation, { kind: 'status' })
  }

  #tell(conversation: Conversation, event: ConversationEvent): void {
    for (const watcher of this.#watchers) watcher(conversation, event)
  }

  #forgetOldest(): void {
    const [oldest] = this.#byId.values()
    if (!oldest) return
    this.#byId.delete(oldest.id)
    this.#byGuest.delete(guestKey(oldest.surface, oldest.guestId))
  }
}

function guestKey(surface: string, guestId: string): string {
  return `${surface}/${guestId}`
}
