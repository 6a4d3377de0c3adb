/** What the scripted agent says: a greeting, then small talk; structured content when the guest asks for it. */
import type { Chance } from './chance.ts'
import type { Conversation, Saying } from './conversation.ts'
import { richAnswerTo } from './rich-content.ts'

const lines = [
  'Thank you, let me look that up for you.',
  'I see. Is there anything else I should know?',
  'I have made a note of that.',
  'That is done. Can I help with anything else?',
]

/** What is said next; `taken` is how often it was before. */
export function nextLine(conversation: Conversation, taken: number, chance: Chance): Saying {
  const asked = conversation.messages.findLast(({ side }) => side === 'guest')?.text ?? ''
  const rich = conversation.rich ? richAnswerTo(asked) : undefined
  if (rich) return { author: 'bot', side: 'platform', ...rich }
  return { author: 'agent', side: 'platform', text: smallTalk(conversation, taken, chance) }
}

function smallTalk(conversation: Conversation, taken: number, chance: Chance): string {
  if (taken === 0) {
    const name = conversation.agent?.nickname ?? 'Sam'
    return `Hello, you are speaking with ${name} from support. How can I help?`
  }
  const pick = Math.floor(chance.fraction('line', conversation.id, taken) * lines.length)
  return lines[pick] ?? lines[0] ?? ''
}
