/** What the scripted agent says: a greeting, then small talk. */
import type { Chance } from './chance.ts'
import type { Conversation, Saying } from './conversation.ts'

const lines = [
  'Thank you, let me look that up for you.',
  'I see. Is there anything else I should know?',
  'I have made a note of that.',
  'That is done. Can I help with anything else?',
]

/** The agent's next words; `taken` is how often it spoke before. */
export function nextLine(conversation: Conversation, taken: number, chance: Chance): Saying {
  return { author: 'agent', side: 'platform', text: text(conversation, taken, chance) }
}

function text(conversation: Conversation, taken: number, chance: Chance): string {
  if (taken === 0) {
    const name = conversation.agent?.nickname ?? 'Sam'
    return `Hello, you are speaking with ${name} from support. How can I help?`
  }
  const pick = Math.floor(chance.fraction('line', conversation.id, taken) * lines.length)
  return lines[pick] ?? lines[0] ?? ''
}
