/** The span of one frame that carries a message, from leaving to its ack. */
import type { OutboundText } from '../genesys/dialect.ts'
import type { Span, Tracer } from '../tracing.ts'
import type { FrameFate } from './unacked.ts'

export interface FrameOf {
  sessionId: string
  text: Pick<OutboundText, 'id' | 'trace'>
}

/** `attempt` counts from 1. */
export function startFrameSpan(
  tracer: Tracer,
  { sessionId, text }: FrameOf,
  attempt: number,
): Span {
  return tracer.start('send frame', {
    kind: 'client',
    parent: text.trace,
    attributes: {
      'network.protocol.name': 'websocket',
      'gateway.session.id': sessionId,
      'gateway.message.id': text.id,
      'gateway.frame.resend_count': attempt > 1 ? attempt - 1 : undefined,
    },
  })
}

/** Undefined for an ack. */
export function failureOf(fate: FrameFate): string | undefined {
  if (fate.kind === 'ack') return undefined
  return fate.kind === 'nack' ? fate.code : fate.kind
}
