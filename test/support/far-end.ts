/** What really reached the platform: the witness against what the gateway says. */
import type { Simulator } from '../../src/simulator/simulator.ts'

interface SentBody {
  text: string
  conversationId: string
}

/** Texts the platform took, in the order they came; of one conversation or of all. */
export function textsAt(simulator: Simulator, conversationId?: string): string[] {
  return simulator.control.received
    .list('external-guests.sendMessage')
    .filter(({ acted }) => acted)
    .map(({ body }) => body as SentBody)
    .filter((body) => conversationId === undefined || body.conversationId === conversationId)
    .map(({ text }) => text)
}

/** How often the platform took this text. */
export function timesTaken(simulator: Simulator, text: string): number {
  return textsAt(simulator).filter((each) => each === text).length
}

/** How often it was tried, taken or not. */
export function timesTried(simulator: Simulator, text: string): number {
  return simulator.control.received
    .list('external-guests.sendMessage')
    .filter(({ body }) => (body as SentBody | undefined)?.text === text).length
}
