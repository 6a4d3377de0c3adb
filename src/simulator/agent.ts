/**
 * A scripted agent in every conversation: once it is active and the guest or its bot has said something, the agent
 * types and then answers, once for everything said meanwhile.
 */
import type { Chance } from './chance.ts'
import type { Conversation, Message } from './conversation.ts'
import type { Conversations } from './conversations.ts'
import { nextLine } from './script.ts'
import type { Behaviour } from './switches/behaviour.ts'
import type { MovableTime } from './time.ts'

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
    const isHeard =
      event.kind === 'message'
        ? isForAgent(event.message)
        : event.kind === 'status' && conversation.messages.some(isForAgent)
    if (isHeard) takeTurn(conversation)
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
      const line = nextLine(conversation, turn.taken, chance)
      turn.taken += 1
      conversations.say(conversation, line)
    })
  }
}

function isForAgent({ author, side }: Message): boolean {
  return side === 'guest' && (author === 'user' || author === 'bot')
}
