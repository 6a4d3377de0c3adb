// @ts-check
/** The events of all sessions as they come, newest first, each leading to its session. */
import { byId, fromTemplate, part } from '../shared/dom.js'
import { shortId } from './short-id.js'
import { showTime } from './times.js'

/** @import { GatewayEvent } from '../shared/types.d.ts' */

const maxRows = 200

export class EventFeed {
  #list = byId('feed', HTMLOListElement)
  #pause = byId('feed-pause', HTMLButtonElement)
  #kind = byId('feed-kind', HTMLSelectElement)
  /** What came while it was paused, oldest first. @type {GatewayEvent[]} */
  #held = []
  #isPaused = false

  constructor() {
    this.#list.tabIndex = 0
    this.#pause.addEventListener('click', () => this.#pauseOrGoOn())
    this.#kind.addEventListener('change', () => {
      for (const row of this.#list.children) this.#filter(row)
    })
  }

  /** @param {GatewayEvent} event */
  add(event) {
    if (!this.#isPaused) return this.#prepend(event)
    this.#held.push(event)
    if (this.#held.length > maxRows) this.#held.shift()
    this.#pause.textContent = `Go on (${this.#held.length})`
  }

  #pauseOrGoOn() {
    this.#isPaused = !this.#isPaused
    this.#pause.textContent = this.#isPaused ? 'Go on' : 'Pause'
    for (const event of this.#held.splice(0)) this.#prepend(event)
  }

  /** @param {GatewayEvent} event */
  #prepend(event) {
    const row = fromTemplate('feed-row')
    row.dataset.kind = event.type.split('.')[0] ?? ''
    showTime(part(row, 'time', HTMLTimeElement), event.time, 'clock')
    part(row, 'type').textContent = event.type
    const link = part(row, 'session', HTMLAnchorElement)
    link.hidden = event.subject === undefined
    if (event.subject) leadTo(link, event.subject)
    this.#filter(row)
    this.#list.prepend(row)
    if (this.#list.childElementCount > maxRows) this.#list.lastElementChild?.remove()
  }

  /** @param {Element} row */
  #filter(row) {
    if (!(row instanceof HTMLElement)) return
    row.hidden = this.#kind.value !== '' && row.dataset.kind !== this.#kind.value
  }
}

/** @param {HTMLAnchorElement} link @param {string} id of a session */
function leadTo(link, id) {
  link.href = `#${id}`
  link.title = id
  link.textContent = shortId(id)
}
