// @ts-check
/** The dashboard: a key, then all sessions at a glance. A session's id as the fragment opens that one. */
import { apiWithKey } from '../shared/api-key.js'
import { byId } from '../shared/dom.js'
import { showFailures } from '../shared/problems.js'
import { openOverview } from './overview.js'
import { openSession } from './session-view.js'

const overview = byId('overview', HTMLElement)
const session = byId('session', HTMLElement)
/** Where the reader was in the overview. */
let scrolledTo = 0
/** The link that led to the session. @type {Element | null} */
let cameFrom = null
/** Ends what is open. @type {(() => void) | undefined} */
let end

showFailures(byId('page-problem', HTMLElement))

// Metrics are for operations only, as the stream of all events is.
const { api } = await apiWithKey((api) => api.open('/metrics').then((answer) => answer.text()))

overview.hidden = false
openOverview(api)
window.addEventListener('hashchange', openFragment)
byId('open-form', HTMLFormElement).addEventListener('submit', (event) => {
  event.preventDefault()
  location.hash = byId('open-id', HTMLInputElement).value.trim()
})
openFragment()

function openFragment() {
  const id = location.hash.slice(1)
  end?.()
  end = undefined
  if (!id.startsWith('gs_')) return showOverview()
  if (session.hidden) {
    cameFrom = document.activeElement
    scrolledTo = window.scrollY
  }
  overview.hidden = true
  session.hidden = false
  end = openSession(api, id)
  byId('session-guest', HTMLElement).focus()
  window.scrollTo(0, 0)
}

function showOverview() {
  if (session.hidden) return
  session.hidden = true
  overview.hidden = false
  if (cameFrom instanceof HTMLElement && cameFrom.isConnected) cameFrom.focus()
  window.scrollTo(0, scrolledTo)
}
