// @ts-check
/** The events of one session in order, each with its time, how long after the creation it was, and its JSON. */
import { byId, fromTemplate, keepAtEnd, part } from '../shared/dom.js'
import { duration, showTime } from './times.js'

/** @import { GatewayEvent, Message } from '../shared/types.d.ts' */

/** Rows the page keeps; the gateway keeps them all. */
const maxRows = 1000

export class Timeline {
  #list = byId('timeline', HTMLOListElement)
  #last = 0
  #beganAt

  /** @param {string} createdAt RFC 3339 */
  constructor(createdAt) {
    this.#beganAt = Date.parse(createdAt)
    this.#list.tabIndex = 0
    this.#list.replaceChildren()
  }

  /** @param {GatewayEvent} event */
  add(event) {
    // What is not stored has no sequence; what came again after a reconnect is there already.
    if (event.sequence !== undefined && event.sequence <= this.#last) return
    this.#last = event.sequence ?? this.#last
    keepAtEnd(this.#list, () => {
      this.#list.append(this.#row(event))
      if (this.#list.childElementCount > maxRows) this.#list.firstElementChild?.remove()
    })
  }

  /** @param {GatewayEvent} event */
  #row(event) {
    const row = fromTemplate('event-row')
    part(row, 'sequence').textContent = event.sequence === undefined ? '–' : `${event.sequence}`
    part(row, 'type').textContent = event.type
    part(row, 'note').textContent = noteOn(event)
    const after = Math.max(0, Date.parse(event.time) - this.#beganAt) / 1000
    part(row, 'after').textContent = `+${after < 10 ? `${after.toFixed(3)} s` : duration(after)}`
    showTime(part(row, 'time', HTMLTimeElement), event.time, 'precise')
    const showJson = () => {
      part(row, 'json').textContent = JSON.stringify(event, null, 2)
    }
    part(row, 'details').addEventListener('toggle', showJson, { once: true })
    return row
  }
}

/** What tells this event from others of its type. @param {GatewayEvent} event */
function noteOn({ type, data }) {
  if (!type.startsWith('message.')) return ''
  const { author, latencyMs, error } = /** @type {Message} */ (data)
  if (error) return error.code
  return type === 'message.sent' && latencyMs !== null ? `${author}, ${latencyMs} ms` : author
}
