// @ts-check
/** The list of sessions, filtered and in pages. Rows in sight stay right; newer sessions wait to be asked for. */
import { byId } from '../shared/dom.js'
import { withProblems } from '../shared/problems.js'
import { clearFilters, filterQuery, offerDialects } from './filters.js'
import { sessionRow, showSession } from './session-row.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Dialect, GatewayEvent } from '../shared/types.d.ts' */
/** @import { ListedSession, Page } from './types.d.ts' */

const pageSize = 20
const refreshMs = 1000

export class SessionList {
  #api
  #body = byId('sessions-body', HTMLElement)
  #status = byId('sessions-status', HTMLElement)
  #problem = byId('sessions-problem', HTMLElement)
  #newer = byId('sessions-newer', HTMLButtonElement)
  #next = byId('sessions-next', HTMLButtonElement)
  #previous = byId('sessions-previous', HTMLButtonElement)
  #query = new URLSearchParams()
  /** Cursors of the pages up to the one shown; the first page has none. @type {(string | null)[]} */
  #cursors = [null]
  /** @type {string | null} */
  #nextCursor = null
  #created = 0
  #timer = 0

  /** @param {Api} api @param {Dialect[]} dialects */
  constructor(api, dialects) {
    this.#api = api
    offerDialects(dialects)
    const form = byId('filters', HTMLFormElement)
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      void this.#start(filterQuery(form))
    })
    byId('filters-clear', HTMLButtonElement).addEventListener('click', () => {
      clearFilters(form)
      void this.#start(new URLSearchParams())
    })
    this.#newer.addEventListener('click', () => void this.#start(this.#query))
    this.#next.addEventListener(
      'click',
      () => void this.#turn([...this.#cursors, this.#nextCursor]),
    )
    this.#previous.addEventListener('click', () => void this.#turn(this.#cursors.slice(0, -1)))
  }

  load() {
    return this.#start(new URLSearchParams())
  }

  /** @param {GatewayEvent} event */
  apply({ type, subject }) {
    if (type === 'session.created') {
      this.#created += 1
      this.#newer.textContent = `Show newer sessions (${this.#created})`
      this.#newer.hidden = false
    } else if (subject && this.#rowOf(subject)) {
      this.#timer ||= window.setTimeout(() => void this.#refresh(), refreshMs)
    }
  }

  /** @param {URLSearchParams} query */
  async #start(query) {
    this.#query = query
    await this.#turn([null])
  }

  /** @param {(string | null)[]} cursors those of the page to show, and of all before it */
  async #turn(cursors) {
    const created = this.#created
    await withProblems(this.#problem, async () => {
      const page = await this.#read(cursors.at(-1) ?? null, pageSize)
      this.#cursors = cursors
      this.#nextCursor = page.nextCursor
      this.#body.replaceChildren(...page.items.map(sessionRow))
      this.#next.disabled = page.nextCursor === null
      this.#previous.disabled = cursors.length === 1
      this.#status.textContent = inWords(page, cursors.length)
      if (cursors.length > 1) return
      this.#created -= created
      this.#newer.hidden = this.#created === 0
    })
  }

  /** Brings the rows in sight up to date where they stand, so that nothing moves under the reader's hand. */
  async #refresh() {
    this.#timer = 0
    const limit = Math.min(pageSize + this.#created, 200)
    const page = await this.#read(this.#cursors.at(-1) ?? null, limit).catch(() => null)
    for (const session of page?.items ?? []) {
      const row = this.#rowOf(session.id)
      if (row) showSession(row, session)
    }
  }

  /** @param {string | null} cursor @param {number} limit @returns {Promise<Page<ListedSession>>} */
  #read(cursor, limit) {
    const query = new URLSearchParams(this.#query)
    query.set('limit', String(limit))
    if (cursor !== null) query.set('cursor', cursor)
    return this.#api.get(`/v1/sessions?${query}`)
  }

  /** @param {string} id */
  #rowOf(id) {
    const found = [...this.#body.children].find(
      (row) => row instanceof HTMLElement && row.dataset.id === id,
    )
    return found instanceof HTMLElement ? found : undefined
  }
}

/** @param {Page<ListedSession>} page @param {number} number */
function inWords({ items }, number) {
  if (items.length === 0) return number === 1 ? 'No session matches.' : 'No more sessions.'
  const sessions = items.length === 1 ? '1 session' : `${items.length} sessions`
  return `Page ${number}, ${sessions}, newest first`
}
