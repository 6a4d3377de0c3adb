// @ts-check
/** One session: its facts, its transcript, and every step of it from the first one on. */
import { byId } from '../shared/dom.js'
import { showProblem } from '../shared/problems.js'
import { followEvents } from './follow-events.js'
import { showFacts } from './session-facts.js'
import { Timeline } from './timeline.js'
import { Transcript } from './transcript.js'

/** @import { Api } from '../shared/api.js' */
/** @import { GatewayEvent, Message } from '../shared/types.d.ts' */
/** @import { FollowState } from './follow-events.js' */
/** @import { ListedSession } from './types.d.ts' */

/** @type {Record<FollowState, string>} */
const sentences = {
  connecting: 'Connecting',
  open: 'Live',
  waiting: 'The connection was lost; it comes back by itself',
  refused: 'The connection was refused',
  over: 'The session is over; this is all of it',
}

const refreshMs = 300

/** Returns the way to end it. @param {Api} api @param {string} id */
export function openSession(api, id) {
  const view = new AbortController()
  const { signal } = view
  const path = `/v1/sessions/${encodeURIComponent(id)}`
  const problem = byId('session-problem', HTMLElement)
  const body = byId('session-body', HTMLElement)
  body.hidden = true
  byId('session-id', HTMLElement).textContent = id
  showFacts(null)
  let isStale = false

  showProblem(problem, null)
  load().catch((error) => {
    if (!signal.aborted) showProblem(problem, error)
  })
  return () => view.abort()

  async function load() {
    /** @type {ListedSession} */
    const session = await api.get(path, { signal })
    showFacts(session)
    body.hidden = false
    const transcript = new Transcript()
    const timeline = new Timeline(api, path, signal)
    /** @param {GatewayEvent} event */
    const apply = (event) => {
      // Typing and heartbeats are no steps: they are not stored.
      if (event.sequence === undefined) return
      timeline.touch()
      if (event.type.startsWith('message.')) transcript.show(/** @type {Message} */ (event.data))
      refreshSoon()
    }
    const last = await timeline.load()
    const events = `${path}/events?after=${last}`
    void followEvents(api, events, { event: apply, state: showState }, signal)
    await transcript.load(api, path, signal)
  }

  /** Events that are caught up tell of what is past; what the session is now, the gateway says. */
  function refreshSoon() {
    if (isStale) return
    isStale = true
    setTimeout(() => {
      isStale = false
      if (!signal.aborted) void api.get(path, { signal }).then(showFacts, () => undefined)
    }, refreshMs)
  }
}

/** @param {FollowState} state @param {unknown} problem */
function showState(state, problem) {
  const element = byId('timeline-state', HTMLElement)
  element.textContent = sentences[state]
  element.dataset.state = state
  if (state === 'refused') showProblem(byId('session-problem', HTMLElement), problem)
}
