// @ts-check
/** The playground: a key, then a guest, then its session. The session's id is the fragment, so a reload stays with it. */
import { apiWithKey } from '../shared/api-key.js'
import { byId } from '../shared/dom.js'
import { showFailures } from '../shared/problems.js'
import { offerSessions } from './begin.js'
import { openSession } from './session-view.js'

/** @import { Dialect, Session } from '../shared/types.d.ts' */

const beginning = byId('begin', HTMLElement)
const workbench = byId('session', HTMLElement)
/** Ends what is open. @type {(() => void) | undefined} */
let end

showFailures(byId('page-problem', HTMLElement))

const { api, checked } = await apiWithKey((api) => api.get('/v1/dialects'))
/** @type {Dialect[]} */
const dialects = checked.items
const begin = offerSessions(api, dialects, show)

byId('new-guest', HTMLButtonElement).addEventListener('click', startOver)
window.addEventListener('hashchange', openFragment)
await openFragment()

async function openFragment() {
  const id = location.hash.slice(1)
  if (!id || !(await begin.open(id))) startOver()
}

/** @param {Session} session */
function show(session) {
  const dialect = dialects.find(({ name }) => name === session.dialect)
  if (!dialect) throw new Error(`The gateway does not list the dialect ${session.dialect}`)
  end?.()
  history.replaceState(null, '', `#${session.id}`)
  beginning.hidden = true
  workbench.hidden = false
  end = openSession(api, session, dialect)
}

function startOver() {
  end?.()
  end = undefined
  history.replaceState(null, '', location.pathname)
  workbench.hidden = true
  beginning.hidden = false
  begin.focus()
}
