/**
 * A scripted agent in every conversation: once it is active and the guest or a bot has said something, the agent types
 * and then answers, once for everything said meanwhile.
 */
import type { Chance } from './chance.ts'
import type { Conversation, Conversations } from './conversations.ts'
import type { Behaviour } from './options.ts'
import type { MovableTime } from './time.ts'

const greeting = 'Hello, you are speaking with Sam from support. How can I help?'
const lines = [
  'Thank you, let me look that up for you.',
  'I see. Is there anything else I should know?',
  'I have made a note of that.',
  'That is done. Can I help with anything else?',
]

export interface AgentDeps {
  conversations: Conversations
  chance: Chance
  time: MovableTime
  behaviour: Behaviour
}

export function startAgent({ conversations, chance, time, behaviour }: AgentDeps): void {
  const turns = new WeakMap<Conversation, { busy: boolean; taken: number }>()

  conversations.watch((conversation, event) => {
    if (!behaviour.agent || conversation.status !== 'ACTIVE') return
    if (event.kind === 'status' ? conversation.messages.some(isForAgent) : saysSomething(event)) {
      takeTurn(conversation)
    }
  })

  function takeTurn(conversation: Conversation): void {
    const turn = turns.get(conversation) ?? { busy: false, taken: 0 }
    turns.set(conversation, turn)
    if (turn.busy) return
    turn.busy = true
    const delayMs =
      behaviour.agentDelayMs * (0.5 + chance.fraction('pace', conversation.id, turn.taken))
    time.after(delayMs / 2, () => {
      if (conversation.status === 'ACTIVE') conversations.type(conversation)
    })
    time.after(delayMs, () => {
      turn.busy = false
      if (conversation.status !== 'ACTIVE') return
      const text = nextLine(conversation, turn.taken)
      turn.taken += 1
      conversations.say(conversation, 'agent', text)
    })
  }

  function nextLine(conversation: Conversation, taken: number): string {
    if (taken === 0) return greeting
    const pick = Math.floor(chance.fraction('line', conversation.id, taken) * lines.length)
    return lines[pick] ?? greeting
  }
}

function saysSomething(event: { kind: string; message?: { author: string } }): boolean {
  return event.kind === 'message' && event.message !== undefined && isForAgent(event.message)
}

function isForAgent(message: { author: string }): boolean {
  return message.author === 'user' || message.author === 'bot'
}
