// @ts-check
/** One step of a timeline in words: a note beside its name, and all that is known about it. */
import { termAndText } from '../shared/dom.js'
import { milliseconds } from './times.js'

/** @import { TimelineDelivery, TimelineStep } from './types.d.ts' */

/** What tells this step from others of its type. @param {TimelineStep} step */
export function stepNote({ message, session, deliveries, type }) {
  const notes = []
  if (message?.error) notes.push(message.error.code)
  else if (message) notes.push(message.author)
  if (message && message.attempts > 1) notes.push(`attempt ${message.attempts}`)
  if (type === 'message.sent' && message && message.latencyMs !== null) {
    notes.push(milliseconds(message.latencyMs))
  }
  if (session?.closeReason) notes.push(session.closeReason)
  const failed = deliveries.filter(({ status }) => status === null || status >= 300).length
  if (failed > 0) notes.push(failed === 1 ? 'a webhook failed' : `webhooks failed ${failed} times`)
  return notes.join(', ')
}

/** Terms with their texts; what is not known is left out. @param {TimelineStep} step */
export function stepFacts(step) {
  const { message, session } = step
  /** @type {[term: string, text: string | null | undefined][]} */
  const facts = [
    ['Since the step before', milliseconds(step.sincePreviousMs)],
    ['Asked by', step.actor],
    ['Trace', step.traceId],
    ['Message', step.messageId],
    ['Status', message?.status],
    ['Since accepted', message && milliseconds(message.sinceAcceptedMs)],
    ['Attempts', message && String(message.attempts)],
    ['Parts sent', message?.parts && `${message.parts.sent} of ${message.parts.of}`],
    ['Platform id', message?.upstreamId],
    ['Platform status', message?.upstreamStatus],
    ['Error', message?.error && errorInWords(message.error)],
    ['State', session?.state],
    ['Platform stream', session && session.streamState !== 'none' ? session.streamState : null],
    ['Conversation', session?.conversationId],
    ['Reason', session?.closeReason],
    ...step.deliveries.map((delivery) => deliveryFact(delivery)),
  ]
  return facts.flatMap(([term, text]) => (text ? [termAndText(term, text)] : []))
}

/** @param {NonNullable<NonNullable<TimelineStep['message']>['error']>} error */
function errorInWords({ code, upstreamStatus, upstreamCode, contextId }) {
  const said = [upstreamStatus, upstreamCode].filter((each) => each !== null).join(' ')
  return [code, said && `the platform said ${said}`, contextId && `context ${contextId}`]
    .filter(Boolean)
    .join(', ')
}

/** @param {TimelineDelivery} delivery @returns {[term: string, text: string]} */
function deliveryFact({ webhookId, attempt, status, durationMs, sinceStepMs }) {
  const outcome = status === null ? 'no answer' : String(status)
  const times = `after ${milliseconds(sinceStepMs)}, in ${milliseconds(durationMs)}`
  return [`Webhook, try ${attempt}`, `${outcome} ${times}, ${webhookId}`]
}
