/** What a conversation is, whichever surface opened it. */

export const authors = ['user', 'agent', 'bot', 'system'] as const
export type Author = (typeof authors)[number]

export interface Conversation {
  readonly id: string
  /** Name of the surface that opened it. */
  readonly surface: string
  readonly guestId: string
  /** The guest as the surface wants to remember it. */
  readonly guest: Readonly<Record<string, unknown>>
  /** The guest's client can show structured content: cards, quick replies and the like. */
  readonly rich: boolean
  readonly createdAt: number
  /** PENDING until something triggers routing, ROUTING until someone is found, then ACTIVE, then CLOSED. */
  status: 'PENDING' | 'ROUTING' | 'ACTIVE' | 'CLOSED'
  activatedAt: number | null
  closedAt: number | null
  /** Who is there for the guest; null until it is active. */
  agent: Agent | null
  readonly messages: Message[]
  /** How many messages each author has. */
  readonly said: Record<Author, number>
}

export interface Agent {
  id: string
  nickname: string
  firstName: string
  lastName: string
}

export interface Message {
  readonly id: string
  readonly author: Author
  /** Through whose door it came: whatever its author, a message by the guest's API is the guest's. */
  readonly side: 'guest' | 'platform'
  readonly text: string
  /** Attachments and structured content, in the words of the surface. */
  readonly content: readonly object[]
  /** Epoch ms. */
  readonly at: number
}

export type Saying = Pick<Message, 'author' | 'side' | 'text'> & { content?: readonly object[] }

export type ConversationEvent =
  | { kind: 'message'; message: Message }
  /** The other side is typing. */
  | { kind: 'typing' }
  | { kind: 'status' }
  /** Somebody else is there for the guest now. */
  | { kind: 'joined' }
  | { kind: 'forgotten' }

export type Watcher = (conversation: Conversation, event: ConversationEvent) => void
