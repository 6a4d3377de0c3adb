// @ts-check
/** Shows problems where they happened: title, detail, and the page that explains the code. */
import { Problem } from './api.js'

/**
 * Replaces what the box shows; null empties it. The box is `role="alert"`, so it is read out.
 * @param {HTMLElement} box
 * @param {unknown} error
 */
export function showProblem(box, error) {
  box.hidden = error === null
  if (error === null) return box.replaceChildren()
  const { title, detail, code, errors } = detailsOf(error)
  const heading = document.createElement('strong')
  heading.textContent = title
  const text = document.createElement('p')
  text.textContent = detail
  box.replaceChildren(heading, text)
  if (errors.length > 0) box.append(listOf(errors))
  if (code !== null) box.append(linkToCode(code))
}

/** @param {string} code */
export function linkToCode(code) {
  const link = document.createElement('a')
  link.href = `/problems/${encodeURIComponent(code)}`
  link.target = '_blank'
  link.textContent = code
  return link
}

/**
 * Runs `act` with the box emptied before and its problem shown after. Answers whether it went well.
 * @param {HTMLElement} box
 * @param {() => Promise<unknown>} act
 */
export async function withProblems(box, act) {
  showProblem(box, null)
  try {
    await act()
    return true
  } catch (error) {
    showProblem(box, error)
    return false
  }
}

/** Shows there what went wrong in the page itself, which would otherwise stand still in silence. @param {HTMLElement} box */
export function showFailures(box) {
  window.addEventListener('error', ({ error }) => showProblem(box, error))
  window.addEventListener('unhandledrejection', ({ reason }) => showProblem(box, reason))
}

/** @param {unknown} error */
function detailsOf(error) {
  if (error instanceof Problem) return error.details
  return { title: 'This page failed', detail: String(error), code: null, errors: [] }
}

/** @param {{ pointer: string, detail: string }[]} errors */
function listOf(errors) {
  const list = document.createElement('ul')
  for (const { pointer, detail } of errors) {
    const item = document.createElement('li')
    item.textContent = `${pointer} ${detail}`
    list.append(item)
  }
  return list
}
