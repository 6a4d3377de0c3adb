// @ts-check
/** Asks for the API key in the page and keeps it for this tab only. */
import { Api } from './api.js'
import { byId } from './dom.js'
import { showProblem } from './problems.js'

const storedAs = 'gateway.api-key'

/**
 * Resolves once a key has been tried with `check`: the one this tab has, else the one that is entered in `#key-form`.
 * @template T
 * @param {(api: Api) => Promise<T>} check
 * @returns {Promise<{ api: Api, checked: T }>}
 */
export async function apiWithKey(check) {
  const form = byId('key-form', HTMLFormElement)
  const input = byId('key', HTMLInputElement)
  const problem = byId('key-problem', HTMLElement)
  const forget = byId('forget-key', HTMLButtonElement)
  forget.addEventListener('click', forgetKey)

  let key = sessionStorage.getItem(storedAs)
  for (;;) {
    key ??= await enteredIn(form, input)
    const api = new Api(key)
    try {
      const checked = await check(api)
      sessionStorage.setItem(storedAs, key)
      form.hidden = true
      forget.hidden = false
      return { api, checked }
    } catch (error) {
      key = null
      form.hidden = false
      showProblem(problem, error)
    }
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLInputElement} input
 * @returns {Promise<string>}
 */
function enteredIn(form, input) {
  form.hidden = false
  input.focus()
  return new Promise((resolve) => {
    form.addEventListener(
      'submit',
      (event) => {
        event.preventDefault()
        resolve(input.value.trim())
      },
      { once: true },
    )
  })
}

/** A new page, so that nothing of what the key showed stays. */
function forgetKey() {
  sessionStorage.removeItem(storedAs)
  location.replace(location.pathname)
}
