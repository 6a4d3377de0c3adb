/** The span of a message from its acceptance until it is settled. One that a stop leaves in line is the next process's. */
import type { GatewayError } from '../errors.ts'
import type { Tracer } from '../tracing.ts'
import type { Caller } from './caller.ts'
import type { Message } from './message.ts'

export interface DeliverySpan {
  /** As it is for what the message leads to: below this span. */
  caller: Caller
  /** Told how long it stood in line for the quota or the pace of frames. */
  queued(ms: number): void
  end(message: Message, error: GatewayError | null): void
}

export function startDeliverySpan(tracer: Tracer, message: Message, caller: Caller): DeliverySpan {
  let queuedMs = 0
  const span = tracer.start('deliver message', {
    kind: 'internal',
    parent: caller.trace,
    at: message.acceptedAt,
    attributes: { 'gateway.session.id': message.sessionId, 'gateway.message.id': message.id },
  })
  return {
    caller: { ...caller, trace: span.trace },
    queued: (ms) => {
      queuedMs += ms
    },
    end: ({ attempts, latencyMs }, error) => {
      span.set({
        'gateway.message.attempts': attempts,
        'gateway.message.latency_ms': latencyMs ?? undefined,
        'gateway.quota.wait_ms': Math.round(queuedMs),
      })
      span.end(error?.code)
    },
  }
}
