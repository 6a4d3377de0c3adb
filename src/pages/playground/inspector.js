// @ts-check
/** The events of the session as they come, each with its JSON, and the connection they come over. */
import { byId, fromTemplate, keepAtEnd, part } from '../shared/dom.js'
import { showProblem } from '../shared/problems.js'
import { preciseTime } from './clock-time.js'
import { SequenceCheck } from './sequence.js'

/** @import { SessionStream, StreamState } from '../shared/session-stream.js' */
/** @import { GatewayEvent } from '../shared/types.d.ts' */

/** Rows the page keeps; the gateway keeps them all. */
const maxRows = 500

const transportNames = { sse: 'Server-Sent Events', websocket: 'WebSocket' }

/** @type {Record<StreamState, (transport: string, last: number) => string>} */
const sentences = {
  connecting: (transport, last) => `Connecting over ${transport}, after ${last}`,
  open: (transport) => `Live over ${transport}`,
  cut: (_transport, last) => `Cut after ${last}. Resume goes on from there.`,
  waiting: () => 'The connection was lost; it comes back by itself',
  refused: () => 'The connection was refused',
  over: () => 'The session is over; this is all of it',
}

export class Inspector {
  #list = byId('events', HTMLOListElement)
  #state = byId('stream-state', HTMLElement)
  #verdict = byId('verdict', HTMLElement)
  #problem = byId('stream-problem', HTMLElement)
  #cut = byId('cut', HTMLButtonElement)
  #sequence = new SequenceCheck()

  /** Follows `stream` from its controls until `signal` aborts. @param {SessionStream} stream @param {AbortSignal} signal */
  constructor(stream, signal) {
    this.#list.replaceChildren()
    this.#verdict.textContent = this.#sequence.verdict
    this.#cut.addEventListener('click', () => this.#cutOrResume(stream), { signal })
    for (const name of /** @type {const} */ (['sse', 'websocket'])) {
      const radio = byId(`transport-${name}`, HTMLInputElement)
      if (radio.checked) stream.transport = name
      radio.addEventListener('change', () => stream.use(name), { signal })
    }
  }

  /** Shows the event. Answers false for one that was shown before. @param {GatewayEvent} event */
  add(event) {
    if (event.type === 'stream.reset') {
      const { oldest } = /** @type {{ oldest: number }} */ (event.data)
      this.#sequence.startAt(oldest)
    }
    const isNew = event.sequence === undefined || this.#sequence.isNew(event.sequence)
    this.#verdict.textContent = this.#sequence.verdict
    this.#verdict.dataset.whole = String(this.#sequence.isWhole)
    if (isNew) this.#append(eventRow(event))
    return isNew
  }

  /** @param {SessionStream} stream @param {unknown} problem */
  showState({ state, transport, last }, problem) {
    this.#state.textContent = sentences[state](transportNames[transport], last)
    this.#state.dataset.state = state
    this.#cut.textContent = isFollowing(state) ? 'Cut' : 'Resume'
    this.#cut.disabled = state === 'over'
    showProblem(this.#problem, state === 'refused' ? problem : null)
  }

  /** @param {SessionStream} stream */
  #cutOrResume(stream) {
    if (isFollowing(stream.state)) {
      stream.cut()
      this.#mark(`Cut after ${stream.last}`)
    } else {
      this.#mark(`Resumed after ${stream.last}`)
      stream.resume()
    }
  }

  /** @param {string} text */
  #mark(text) {
    const row = fromTemplate('mark-row')
    row.textContent = text
    this.#append(row)
  }

  /** @param {HTMLElement} row */
  #append(row) {
    keepAtEnd(this.#list, () => {
      this.#list.append(row)
      if (this.#list.childElementCount > maxRows) this.#list.firstElementChild?.remove()
    })
  }
}

/** @param {StreamState} state */
function isFollowing(state) {
  return state === 'connecting' || state === 'open' || state === 'waiting'
}

/** @param {GatewayEvent} event */
function eventRow(event) {
  const row = fromTemplate('event-row')
  part(row, 'sequence').textContent = event.sequence === undefined ? '–' : String(event.sequence)
  part(row, 'type').textContent = event.type
  preciseTime(part(row, 'time', HTMLTimeElement), event.time)
  // Most are never opened.
  const showJson = () => {
    part(row, 'json').textContent = JSON.stringify(event, null, 2)
  }
  part(row, 'details').addEventListener('toggle', showJson, { once: true })
  return row
}
