// @ts-check
/**
 * The conversation as the guest sees it. Messages are sent with POST and answered at once; what became of them, and
 * what the other side says, comes as events, so the transcript is right again as soon as the stream has caught up.
 */
import { byId, stayAtEnd } from '../shared/dom.js'
import { withProblems } from '../shared/problems.js'
import { messageRow, showMessage } from './message-row.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Dialect, GatewayEvent, Message, Session } from '../shared/types.d.ts' */

const typingMs = 6000

export class Chat {
  #transcript = byId('transcript', HTMLElement)
  #typing = byId('typing', HTMLElement)
  #form = byId('composer', HTMLFormElement)
  #author = byId('author', HTMLSelectElement)
  #text = byId('text', HTMLTextAreaElement)
  #note = byId('composer-note', HTMLElement)
  #problem = byId('send-problem', HTMLElement)
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map()
  #typingTimer = 0
  #api
  #path
  #dialect

  /**
   * Takes messages until `signal` aborts.
   * @param {Api} api
   * @param {Session} session
   * @param {Dialect} dialect
   * @param {AbortSignal} signal
   */
  constructor(api, session, dialect, signal) {
    this.#api = api
    this.#path = `/v1/sessions/${session.id}/messages`
    this.#dialect = dialect
    this.#transcript.replaceChildren()
    // It scrolls, so the keyboard must reach it, in browsers too that do not see to that themselves.
    this.#transcript.tabIndex = 0
    stayAtEnd(this.#transcript, signal)
    this.#showTyping(false)
    this.#offerAuthors(dialect.capabilities.authors)
    this.#form.addEventListener('submit', (event) => this.#submit(event), { signal })
    this.#text.addEventListener('keydown', (event) => this.#sendOnEnter(event), { signal })
    void withProblems(this.#problem, async () => undefined)
  }

  focus() {
    const first = this.#text.disabled ? this.#transcript : this.#text
    first.focus()
  }

  /** @param {GatewayEvent} event */
  apply(event) {
    if (event.type === 'typing') this.#showTyping(true)
    if (event.type === 'message.received') this.#showTyping(false)
    if (event.type.startsWith('message.')) this.#show(/** @type {Message} */ (event.data))
  }

  /** @param {Session} session */
  showSession({ state, closeReason }) {
    const isOver = state !== 'pending' && state !== 'active'
    for (const control of [this.#author, this.#text, this.#form.elements.namedItem('send')]) {
      if (control && 'disabled' in control) control.disabled = isOver
    }
    if (isOver)
      this.#note.textContent = `The session is ${state}: ${closeReason ?? 'no reason given'}.`
    else if (state === 'pending') {
      this.#note.textContent =
        'The platform is routing the guest. Messages wait and leave when it is active.'
    } else if (!this.#dialect.capabilities.receives) {
      this.#note.textContent = `${this.#dialect.name} only sends: what the agent answers stays on the platform.`
    } else this.#note.textContent = ''
  }

  /** @param {SubmitEvent} event */
  async #submit(event) {
    event.preventDefault()
    const text = this.#text.value.trim()
    if (text === '') return
    this.#text.value = ''
    const sent = await withProblems(this.#problem, async () => {
      const body = { author: this.#author.value, text }
      /** @type {Message} */
      const message = await this.#api.post(this.#path, body, {
        headers: { prefer: 'respond-async', 'idempotency-key': crypto.randomUUID() },
      })
      // An event may have told more already.
      if (!this.#rows.has(message.id)) this.#show(message)
    })
    if (!sent && this.#text.value === '') this.#text.value = text
  }

  /** @param {KeyboardEvent} event */
  #sendOnEnter(event) {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    this.#form.requestSubmit()
  }

  /** @param {Message} message */
  #show(message) {
    const known = this.#rows.get(message.id)
    if (known) return showMessage(known, message, () => this.#retry(message))
    const row = messageRow(message)
    showMessage(row, message, () => this.#retry(message))
    this.#rows.set(message.id, row)
    this.#insert(row, message.id)
  }

  /** Ids sort by time, so what is caught up later still stands where it belongs. @param {HTMLElement} row @param {string} id */
  #insert(row, id) {
    const later = [...this.#rows].find(([other]) => other > id)?.[1] ?? null
    this.#transcript.insertBefore(row, later)
  }

  /** @param {Message} message */
  async #retry({ id }) {
    await withProblems(this.#problem, () =>
      this.#api.post(`${this.#path}/${id}/retry`, undefined, {
        headers: { prefer: 'respond-async', 'idempotency-key': crypto.randomUUID() },
      }),
    )
  }

  /** @param {boolean} isTyping */
  #showTyping(isTyping) {
    clearTimeout(this.#typingTimer)
    this.#typing.textContent = isTyping ? 'The other side is typing …' : ''
    if (isTyping) this.#typingTimer = window.setTimeout(() => this.#showTyping(false), typingMs)
  }

  /** The guest itself first. @param {string[]} authors */
  #offerAuthors(authors) {
    const ordered = authors.toSorted((a, b) => Number(b === 'user') - Number(a === 'user'))
    this.#author.replaceChildren(...ordered.map((author) => new Option(author)))
  }
}
