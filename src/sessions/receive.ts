import type { InboundMessage } from '../genesys/dialect.ts'
import type { Evidence } from './late-truth.ts'
import type { RecentIds } from './recent-ids.ts'

export interface Receiver {
  /** Upstream ids of what is in the transcript. */
  known: RecentIds
  /** Whether the guest's own words were those of a message whose ack was lost, and are now known to have arrived. */
  confirm(evidence: Evidence): Promise<boolean>
  /** Whether they are those of a message that waits for its ack, and now has it. */
  claim(message: InboundMessage): boolean
  /** All in one commit. */
  write(messages: readonly InboundMessage[]): Promise<unknown>
}

/** Writes down what arrived, in its order, each upstream id once. May be begun again after it failed. */
export async function receive(
  messages: readonly InboundMessage[],
  receiver: Receiver,
): Promise<void> {
  const { known } = receiver
  let together: InboundMessage[] = []
  const ids = messages.length > 1 ? new Set<string>() : undefined
  for (const message of messages) {
    const { upstreamId, author, text } = message
    if (upstreamId !== null && (known.has(upstreamId) || ids?.has(upstreamId))) continue
    if (author === 'user' && upstreamId !== null) {
      const before = together
      together = []
      await write(before, receiver)
      if ((await receiver.confirm({ key: null, text, upstreamId })) || receiver.claim(message)) {
        known.add(upstreamId)
        continue
      }
    }
    if (upstreamId !== null) ids?.add(upstreamId)
    together.push(message)
  }
  await write(together, receiver)
}

async function write(messages: readonly InboundMessage[], receiver: Receiver): Promise<void> {
  if (messages.length === 0) return
  await receiver.write(messages)
  for (const { upstreamId } of messages) if (upstreamId !== null) receiver.known.add(upstreamId)
}

/** An ack that came after its message was given up. */
export async function receiveLate(
  evidence: Evidence & { upstreamId: string },
  receiver: Receiver,
): Promise<void> {
  const { upstreamId } = evidence
  if (receiver.known.has(upstreamId)) return
  if (await receiver.confirm(evidence)) receiver.known.add(upstreamId)
}
