// @ts-check
/** Who the session is with and how it stands. */
import { byId, termAndText } from '../shared/dom.js'
import { dayAndTime, milliseconds } from './times.js'

/** @import { ListedSession } from './types.d.ts' */

/** Null while it is not known. @param {ListedSession | null} session */
export function showFacts(session) {
  const state = byId('session-state', HTMLElement)
  byId('session-guest', HTMLElement).textContent = session?.guest.name ?? 'Session'
  state.textContent = session?.state ?? ''
  state.dataset.state = session?.state ?? ''
  state.hidden = session === null
  const facts = session ? factsOf(session) : []
  byId('session-facts', HTMLElement).replaceChildren(
    ...facts
      .filter(([, value]) => value !== null)
      .map(([term, value]) => termAndText(term, String(value))),
  )
}

/** @param {ListedSession} session @returns {[term: string, value: string | null][]} */
function factsOf(session) {
  const { createdAt, activatedAt, closedAt, closeReason, latencyMs, stream, messages } = session
  return [
    ['Dialect', session.dialect],
    ['Guest', session.guestId],
    ['Conversation', session.conversationId],
    ['External id', session.metadata.externalSessionId ?? null],
    ['Created', `${dayAndTime(createdAt)}, in ${milliseconds(latencyMs.create)}`],
    ['Activated', activatedAt && `after ${milliseconds(latencyMs.activate ?? 0)}`],
    ['Ended', closedAt && `${dayAndTime(closedAt)}, ${closeReason ?? 'no reason given'}`],
    ['Platform stream', streamInWords(stream)],
    ['Messages', `${messages.outbound} out, ${messages.inbound} in, ${messages.failed} failed`],
  ]
}

/** @param {ListedSession['stream']} stream */
function streamInWords({ state, reconnects }) {
  if (state === 'none') return null
  return reconnects === 0 ? state : `${state}, came back ${reconnects}×`
}
