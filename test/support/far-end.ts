/** What really reached the platform, over whichever surface: the witness against what the gateway says. */
import type { ReceivedRequest } from '../../src/simulator/received.ts'
import type { Simulator } from '../../src/simulator/simulator.ts'

interface Said {
  text: string
  /** Null where the surface's messages do not name it. */
  conversationId: string | null
  acted: boolean
}

/** Texts the platform took, in the order they came; of one conversation or of all. */
export function textsAt(simulator: Simulator, conversationId?: string): string[] {
  return everythingSaid(simulator)
    .filter(({ acted }) => acted)
    .filter((said) => conversationId === undefined || said.conversationId === conversationId)
    .map(({ text }) => text)
}

/** How often the platform took this text. */
export function timesTaken(simulator: Simulator, text: string): number {
  return textsAt(simulator).filter((each) => each === text).length
}

/** How often it was tried, taken or not. */
export function timesTried(simulator: Simulator, text: string): number {
  return everythingSaid(simulator).filter((said) => said.text === text).length
}

function everythingSaid(simulator: Simulator): Said[] {
  return simulator.control.received.list().flatMap((request) => saidBy(request) ?? [])
}

interface Body {
  type?: string
  text?: string
  conversationId?: string
  body?: { content?: string }
  to?: { id?: string }
}

function saidBy({ operation, body, acted }: ReceivedRequest): Said | undefined {
  const said = body as Body | undefined
  const isFrame = operation.endsWith('.frame') && said?.type === 'message'
  if (!isFrame && !operation.endsWith('.sendMessage')) return undefined
  const text = said?.text ?? said?.body?.content
  const conversationId = said?.conversationId ?? said?.to?.id ?? null
  return text === undefined ? undefined : { text, conversationId, acted }
}
