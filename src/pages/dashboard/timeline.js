// @ts-check
/** What happened to one session, step by step, each with its time and what is known about it. */
import { byId, fromTemplate, keepAtEnd, part } from '../shared/dom.js'
import { stepFacts, stepNote } from './step-facts.js'
import { duration, showTime } from './times.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Page, TimelineStep } from './types.d.ts' */

/** Rows the page keeps, the newest; the gateway keeps them all. */
const maxRows = 1000
const soonMs = 300
/** What webhooks were told comes after the step. */
const laterMs = 4000

export class Timeline {
  #api
  #path
  #signal
  #list = byId('timeline', HTMLOListElement)
  #note = byId('timeline-note', HTMLElement)
  /** By sequence. @type {Map<number, { row: HTMLElement, text: string }>} */
  #rows = new Map()
  /** Of the page that was last when it was read. @type {string | null} */
  #cursor = null
  #isStale = false

  /** @param {Api} api @param {string} path of the session @param {AbortSignal} signal */
  constructor(api, path, signal) {
    this.#api = api
    this.#path = `${path}/timeline?limit=200`
    this.#signal = signal
    this.#list.tabIndex = 0
    this.#list.replaceChildren()
    this.#note.hidden = true
  }

  /** Reads what came since. Answers the sequence of the last step. */
  async load() {
    for (;;) {
      const cursor = this.#cursor === null ? '' : `&cursor=${encodeURIComponent(this.#cursor)}`
      /** @type {Page<TimelineStep>} */
      const page = await this.#api.get(this.#path + cursor, { signal: this.#signal })
      keepAtEnd(this.#list, () => {
        for (const step of page.items) this.#show(step)
      })
      if (page.nextCursor === null) return Math.max(0, ...this.#rows.keys())
      this.#cursor = page.nextCursor
    }
  }

  /** Something happened. */
  touch() {
    if (this.#isStale) return
    this.#isStale = true
    setTimeout(() => {
      this.#isStale = false
      this.#reload()
    }, soonMs)
    setTimeout(() => this.#reload(), laterMs)
  }

  #reload() {
    // What cannot be read now is read with the next event.
    if (!this.#signal.aborted) this.load().catch(() => undefined)
  }

  /** @param {TimelineStep} step */
  #show(step) {
    const text = JSON.stringify(step)
    const known = this.#rows.get(step.sequence)
    if (known?.text === text) return
    const row = known?.row ?? this.#add(step)
    this.#rows.set(step.sequence, { row, text })
    part(row, 'note').textContent = stepNote(step)
    part(row, 'facts').replaceChildren(...stepFacts(step))
    const [first] = this.#rows
    if (!first || this.#rows.size <= maxRows) return
    first[1].row.remove()
    this.#rows.delete(first[0])
    this.#note.hidden = false
  }

  /** @param {TimelineStep} step */
  #add({ sequence, type, at, sinceCreatedMs }) {
    const row = fromTemplate('step-row')
    part(row, 'sequence').textContent = String(sequence)
    part(row, 'type').textContent = type
    showTime(part(row, 'time', HTMLTimeElement), at, 'precise')
    const after = sinceCreatedMs / 1000
    part(row, 'after').textContent = `+${after < 10 ? `${after.toFixed(3)} s` : duration(after)}`
    this.#list.append(row)
    return row
  }
}
