/**
 * Importing this holds all that goes between this process and gateways against openapi/asyncapi.yaml: streams both ways,
 * and webhooks. What is not described fails the test, or the file where the test is over. Whatever starts a gateway
 * imports it; test/project/watching.test.ts sees to that.
 */
import { watchConnections } from './connections.ts'
import { watchDeliveries } from './deliveries.ts'
import type { Witness } from './witness.ts'

const seen = new Set<string>()

const witness: Witness = {
  saw: (...message) => void seen.add(message.join(' ')),
  fault: (what) => {
    // Not into the client or the server that it came through: they would take it for their own.
    process.nextTick(() => {
      throw new Error(what)
    })
  },
}

watchConnections(witness)
watchDeliveries(witness)

/** `channel speaker name` of every message this process has seen. */
export function seenMessages(): ReadonlySet<string> {
  return seen
}
