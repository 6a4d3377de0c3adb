// @ts-check
/** Where a session comes from: a new guest, or one that was made elsewhere and is opened by its id. */
import { byId } from '../shared/dom.js'
import { withProblems } from '../shared/problems.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Dialect, Session } from '../shared/types.d.ts' */

/**
 * @param {Api} api
 * @param {Dialect[]} dialects
 * @param {(session: Session) => void} onSession
 */
export function offerSessions(api, dialects, onSession) {
  const problem = byId('begin-problem', HTMLElement)
  const configured = dialects.filter((dialect) => dialect.configured)
  const choice = byId('dialect', HTMLSelectElement)
  const name = byId('guest-name', HTMLInputElement)
  offerDialects(choice, configured)

  onSubmit(byId('create-form', HTMLFormElement), async () => {
    await withProblems(problem, async () => {
      const body = { dialect: choice.value, guest: { name: name.value.trim() } }
      onSession(await api.post('/v1/sessions', body))
    })
  })
  onSubmit(byId('open-form', HTMLFormElement), async () => {
    await open(byId('open-id', HTMLInputElement).value.trim())
  })

  /** Opens the session of that id, or shows why not. @param {string} id */
  function open(id) {
    return withProblems(problem, async () => {
      onSession(await api.get(`/v1/sessions/${encodeURIComponent(id)}`))
    })
  }
  return { open, focus: () => choice.focus() }
}

/** One that receives first: it shows the most. @param {HTMLSelectElement} choice @param {Dialect[]} dialects */
function offerDialects(choice, dialects) {
  choice.replaceChildren(...dialects.map(({ name }) => new Option(name)))
  choice.value =
    (dialects.find((dialect) => dialect.capabilities.receives) ?? dialects[0])?.name ?? ''
  const describe = () => {
    const chosen = dialects.find(({ name }) => name === choice.value)
    byId('dialect-note', HTMLElement).textContent = chosen ? noteOn(chosen) : 'None is configured.'
  }
  choice.addEventListener('change', describe)
  describe()
}

/** @param {Dialect} dialect */
function noteOn({ capabilities: { transport, authors, receives } }) {
  const by = transport === 'rest' ? 'REST' : 'a WebSocket'
  const answers = receives ? 'what the agent answers comes back' : 'answers do not come back'
  return `Sends as ${authors.join(', ')} over ${by}; ${answers}.`
}

/** Once at a time. @param {HTMLFormElement} form @param {() => Promise<void>} act */
function onSubmit(form, act) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (form.ariaBusy === 'true') return
    form.ariaBusy = 'true'
    await act()
    form.ariaBusy = 'false'
  })
}
