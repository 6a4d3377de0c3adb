// @ts-check
/** What was said in one session, both directions, in order, with what became of each message. */
import { byId, fromTemplate, keepAtEnd, part } from '../shared/dom.js'
import { linkToCode } from '../shared/problems.js'
import { milliseconds, showTime } from './times.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Message } from '../shared/types.d.ts' */
/** @import { Page } from './types.d.ts' */

/** Pages of 200 messages that are read. */
const maxPages = 10

export class Transcript {
  #list = byId('transcript', HTMLOListElement)
  #note = byId('transcript-note', HTMLElement)
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map()

  constructor() {
    this.#list.tabIndex = 0
    this.#list.replaceChildren()
    this.#note.textContent = ''
  }

  /** @param {Api} api @param {string} path of the session @param {AbortSignal} signal */
  async load(api, path, signal) {
    let cursor = ''
    for (let pages = 0; pages < maxPages; pages += 1) {
      /** @type {Page<Message>} */
      const page = await api.get(`${path}/messages?limit=200${cursor}`, { signal })
      // Events may have told more already.
      for (const message of page.items) if (!this.#rows.has(message.id)) this.show(message)
      if (page.nextCursor === null) return
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
    }
    this.#note.textContent = `The first ${maxPages * 200} messages, and those that come now`
  }

  /** Shows the message as it is now. @param {Message} message */
  show(message) {
    const known = this.#rows.get(message.id)
    const row = known ?? fromTemplate('message-row')
    const { direction, author, text, acceptedAt, status, latencyMs, error } = message
    row.dataset.direction = direction
    row.dataset.status = status
    part(row, 'author').textContent = author
    part(row, 'text').textContent = text
    showTime(part(row, 'time', HTMLTimeElement), acceptedAt, 'precise')
    part(row, 'status').textContent = direction === 'inbound' ? 'received' : status
    part(row, 'latency').textContent = latencyMs === null ? '' : milliseconds(latencyMs)
    part(row, 'error').replaceChildren(
      ...(error ? [`${error.detail} `, linkToCode(error.code)] : []),
    )
    if (!known) this.#insert(row, message.id)
  }

  /** Ids sort by time, so what comes late still stands where it belongs. @param {HTMLElement} row @param {string} id */
  #insert(row, id) {
    const later = [...this.#rows].find(([other]) => other > id)?.[1] ?? null
    this.#rows.set(id, row)
    keepAtEnd(this.#list, () => this.#list.insertBefore(row, later))
  }
}
