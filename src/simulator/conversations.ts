/** The conversations of the platform: routing until active, who said what, and the end. Surfaces and the agent watch. */
import type { Chance } from './chance.ts'
import type {
  Agent,
  Conversation,
  ConversationEvent,
  Message,
  Saying,
  Watcher,
} from './conversation.ts'
import type { Behaviour } from './switches/behaviour.ts'
import type { MovableTime } from './time.ts'

export interface ConversationsDeps {
  chance: Chance
  time: MovableTime
  behaviour: Behaviour
  /** Past this many the oldest are forgotten. */
  limit: number
}

export interface Opening {
  surface: string
  guest: Conversation['guest']
  /** Made up when absent. */
  guestId?: string
  /** Made up when absent. */
  id?: string
  rich?: boolean
}

export class Conversations {
  readonly #deps: ConversationsDeps
  readonly #byId = new Map<string, Conversation>()
  /** The newest of each guest. */
  readonly #byGuest = new Map<string, Conversation>()
  readonly #watchers = new Set<Watcher>()
  readonly #followers = new WeakMap<Conversation, Set<Watcher>>()
  readonly #waitingForThaw = new Set<Conversation>()
  #opened = 0
  #frozen = false

  constructor(deps: ConversationsDeps) {
    this.#deps = deps
  }

  /** A new one, PENDING. */
  open({ surface, guest, guestId, id, rich = false }: Opening): Conversation {
    const { chance, time, limit } = this.#deps
    this.#opened += 1
    const conversation: Conversation = {
      id: id ?? chance.uuid('conversation', this.#opened),
      surface,
      guestId: guestId ?? chance.uuid('guest', this.#opened),
      guest,
      rich,
      createdAt: time.now(),
      status: 'PENDING',
      activatedAt: null,
      closedAt: null,
      agent: null,
      messages: [],
      said: { user: 0, agent: 0, bot: 0, system: 0 },
    }
    this.#byId.set(conversation.id, conversation)
    this.#byGuest.set(guestKey(conversation), conversation)
    if (this.#byId.size > limit) this.#forgetOldest()
    return conversation
  }

  find(id: string): Conversation | undefined {
    return this.#byId.get(id)
  }

  ofGuest(surface: string, guestId: string): Conversation | undefined {
    return this.#byGuest.get(guestKey({ surface, guestId }))
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

  /** Somebody comes to the guest, by default Sam; routing is over then. Not once it is closed. */
  join(conversation: Conversation, agent?: Partial<Agent>): void {
    if (conversation.status === 'CLOSED' || (conversation.status === 'ACTIVE' && !agent)) return
    const { chance, time } = this.#deps
    const nickname = agent?.nickname ?? 'Sam'
    conversation.agent = {
      id: chance.uuid('agent', nickname),
      nickname,
      firstName: nickname,
      lastName: 'Support',
      ...agent,
    }
    if (conversation.status !== 'ACTIVE') {
      conversation.activatedAt = time.now()
      this.#become(conversation, 'ACTIVE')
    }
    this.#tell(conversation, { kind: 'joined' })
  }

  say(conversation: Conversation, { author, side, text, content = [] }: Saying): Message {
    const { chance, time } = this.#deps
    // Numbered by author, so that an agent answering in between changes no id of the guest's.
    conversation.said[author] += 1
    const id = `msg-${chance.uuid('message', conversation.id, author, conversation.said[author])}`
    const message = { id, author, side, text, content, at: time.now() }
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
    conversation.agent = null
    this.#become(conversation, 'CLOSED')
  }

  /** Lets a closed one go on, to be routed anew. */
  reopen(conversation: Conversation): void {
    if (conversation.status !== 'CLOSED') return
    conversation.closedAt = null
    this.#become(conversation, 'PENDING')
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

  /** All of them. */
  watch(watcher: Watcher): void {
    this.#watchers.add(watcher)
  }

  /** One of them. Returns how to stop. */
  follow(conversation: Conversation, watcher: Watcher): () => void {
    const followers = this.#followers.get(conversation) ?? new Set()
    this.#followers.set(conversation, followers)
    followers.add(watcher)
    return () => followers.delete(watcher)
  }

  get count(): number {
    return this.#byId.size
  }

  newest(limit: number): Conversation[] {
    return [...this.#byId.values()].slice(-limit).reverse()
  }

  #activate(conversation: Conversation): void {
    if (conversation.status === 'ROUTING') this.join(conversation)
  }

  #become(conversation: Conversation, status: Conversation['status']): void {
    conversation.status = status
    this.#tell(conversation, { kind: 'status' })
  }

  #tell(conversation: Conversation, event: ConversationEvent): void {
    for (const watcher of this.#watchers) watcher(conversation, event)
    for (const follower of this.#followers.get(conversation) ?? []) follower(conversation, event)
  }

  #forgetOldest(): void {
    const [oldest] = this.#byId.values()
    if (!oldest) return
    this.#byId.delete(oldest.id)
    if (this.#byGuest.get(guestKey(oldest)) === oldest) this.#byGuest.delete(guestKey(oldest))
    this.#tell(oldest, { kind: 'forgotten' })
  }
}

function guestKey({ surface, guestId }: Pick<Conversation, 'surface' | 'guestId'>): string {
  return `${surface}/${guestId}`
}
