// @ts-check
/** Whose session is open and how it stands, with the buttons that end it. */
import { byId } from '../shared/dom.js'
import { withProblems } from '../shared/problems.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Session } from '../shared/types.d.ts' */

export class SessionBar {
  #state = byId('session-state', HTMLElement)
  #close = byId('close-session', HTMLButtonElement)
  #facts = byId('session-facts', HTMLElement)

  /**
   * @param {Api} api
   * @param {Session} session
   * @param {AbortSignal} signal
   * @param {(session: Session) => void} onClosed
   */
  constructor(api, session, signal, onClosed) {
    const problem = byId('session-problem', HTMLElement)
    void withProblems(problem, async () => undefined)
    byId('session-guest', HTMLElement).textContent = session.guest.name
    byId('session-id', HTMLElement).textContent = session.id
    const close = () =>
      withProblems(problem, async () => {
        onClosed(await api.delete(`/v1/sessions/${session.id}`))
        byId('new-guest', HTMLButtonElement).focus()
      })
    this.#close.addEventListener('click', close, { signal })
  }

  /** @param {Session} session */
  show({ state, dialect, stream, latencyMs }) {
    this.#state.textContent = state
    this.#state.dataset.state = state
    this.#close.disabled = state !== 'pending' && state !== 'active'
    const facts = [dialect, `created in ${latencyMs.create} ms`]
    if (latencyMs.activate !== null) facts.push(`active after ${latencyMs.activate} ms`)
    if (stream.state !== 'none') facts.push(`platform stream ${stream.state}`)
    this.#facts.textContent = facts.join(' · ')
  }
}
