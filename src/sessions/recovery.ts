import type { Store } from '../store/store.ts'
import type { Activation } from './activation.ts'
import { gatewayItself } from './caller.ts'
import { isOut } from './delivery.ts'
import type { SessionRegistry } from './registry.ts'
import type { Sender } from './sender.ts'
import { unconfirmed } from './steps.ts'

export interface RecoveryDeps {
  store: Store
  registry: SessionRegistry
  activation: Activation
  sender: Sender
  now(): number
}

/**
 * Takes up what an earlier process left: accepted messages go back in line, in their order; those that were in flight
 * become `unconfirmed`, because nobody knows whether they arrived; pending sessions are watched again.
 * Returns how many of each there were.
 */
export async function recover({ store, registry, activation, sender, now }: RecoveryDeps) {
  const found = { sessions: 0, resumed: 0, unconfirmed: 0 }
  for (const id of await store.unfinishedSessions()) {
    const session = await registry.find(id)
    if (!session) continue
    found.sessions += 1
    for (const message of await store.unsettledMessages(id)) {
      // Between two of its parts nothing of a message is on its way, and the rest can go.
      if (!isOut(message)) {
        // Whoever waited for the answer went with the process that was to give it.
        const caller = { ...gatewayItself, trace: message.trace }
        sender.add({ ...message, status: 'accepted', waits: 'session' }, caller)
        found.resumed += 1
        continue
      }
      const { trace } = message
      await registry.change(id, (current) =>
        unconfirmed(current, message, lostInRestart, { at: now(), actor: null, trace }),
      )
      found.unconfirmed += 1
    }
    activation.watch(session)
  }
  return found
}

const lostInRestart = {
  code: 'upstream-error',
  detail: 'The gateway stopped while this message was on its way; it may have arrived',
  retryable: false,
  retryAfterSeconds: null,
  upstream: null,
} as const
