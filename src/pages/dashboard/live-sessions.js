// @ts-check
/**
 * The sessions under way by dialect. The gateway's figures do not tell dialects apart, so they are listed once and kept
 * up with events.
 */
import { byId, fromTemplate, part } from '../shared/dom.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Dialect, GatewayEvent, Session } from '../shared/types.d.ts' */
/** @import { ListedSession, Page } from './types.d.ts' */

const states = /** @type {const} */ (['pending', 'active'])
/** Pages of 200 that are read for each state; beyond them the counts are of the newest only. */
const maxPages = 10

export class LiveSessions {
  /** By id. @type {Map<string, { dialect: string, state: Session['state'] }>} */
  #live = new Map()
  /** Those that ended while the list is read, which may be older and must not bring them back. @type {Set<string>} */
  #ended = new Set()
  #isLoading = false
  #api
  #dialects
  #rows = byId('dialects', HTMLElement)

  /** @param {Api} api @param {Dialect[]} dialects */
  constructor(api, dialects) {
    this.#api = api
    this.#dialects = dialects.filter(({ configured }) => configured).map(({ name }) => name)
  }

  /** Counts anew. Events that come meanwhile are newer than what is read, and stay. */
  async load() {
    this.#live.clear()
    this.#isLoading = true
    const complete = await Promise.all(states.map((state) => this.#list(state)))
    this.#isLoading = false
    this.#ended.clear()
    byId('dialects-partial', HTMLElement).hidden = complete.every(Boolean)
    this.show()
  }

  /** @param {GatewayEvent} event */
  apply(event) {
    if (!event.type.startsWith('session.')) return
    const { id, dialect, state } = /** @type {Session} */ (event.data)
    if (state === 'pending' || state === 'active') this.#live.set(id, { dialect, state })
    else {
      this.#live.delete(id)
      if (this.#isLoading) this.#ended.add(id)
    }
  }

  show() {
    const live = [...this.#live.values()]
    const names = new Set([...this.#dialects, ...live.map(({ dialect }) => dialect)])
    this.#rows.replaceChildren(
      ...[...names].map((name) => {
        const row = fromTemplate('dialect-row')
        part(row, 'name').textContent = name
        for (const state of states) {
          const count = live.filter(
            (session) => session.dialect === name && session.state === state,
          ).length
          part(row, state).textContent = String(count)
        }
        return row
      }),
    )
  }

  /** Answers whether that was all. @param {(typeof states)[number]} state */
  async #list(state) {
    let cursor = ''
    for (let pages = 0; pages < maxPages; pages += 1) {
      /** @type {Page<ListedSession>} */
      const page = await this.#api.get(`/v1/sessions?state=${state}&limit=200${cursor}`)
      for (const session of page.items) this.#add(session)
      if (page.nextCursor === null) return true
      cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`
    }
    return false
  }

  /** One that an event told of already is known better. @param {Session} session */
  #add({ id, dialect, state }) {
    if (!this.#live.has(id) && !this.#ended.has(id)) this.#live.set(id, { dialect, state })
  }
}
