/** The span of one try to deliver an event. Of the URL only the host: the rest may be what the receiver knows us by. */
import { eventTrace, type JournalEvent } from '../sessions/events.ts'
import { type Span, serverOf, type Tracer } from '../tracing.ts'
import type { Receipt } from './receiver.ts'
import type { Webhook } from './webhook.ts'

export function startDeliverySpan(
  tracer: Tracer,
  { id, url }: Webhook,
  event: JournalEvent,
  attempt: number,
): Span {
  return tracer.start('POST webhook', {
    kind: 'client',
    parent: eventTrace(event),
    attributes: {
      'http.request.method': 'POST',
      'http.request.resend_count': attempt > 1 ? attempt - 1 : undefined,
      ...serverOf(url),
      'cloudevents.event_id': event.id,
      'cloudevents.event_type': event.type,
      'cloudevents.event_subject': event.sessionId,
      'gateway.webhook.id': id,
    },
  })
}

export function endDeliverySpan(span: Span, receipt: Receipt): void {
  if (receipt.kind === 'unanswered') {
    span.end('unanswered')
    return
  }
  const { status } = receipt
  span.set({ 'http.response.status_code': status })
  span.end(status >= 300 ? String(status) : undefined)
}
