// @ts-check
/** The few things the pages need of the DOM, typed. What is not there is a mistake of ours and throws. */

/**
 * @template {Element} T
 * @param {string} id
 * @param {new () => T} kind
 */
export function byId(id, kind) {
  return as(document.getElementById(id), kind, `#${id}`)
}

/**
 * The first element of a template, copied.
 * @param {string} id
 */
export function fromTemplate(id) {
  const { content } = byId(id, HTMLTemplateElement)
  return as(content.firstElementChild?.cloneNode(true), HTMLElement, `template #${id}`)
}

/**
 * The element of a copied template that carries `data-part`.
 * @template {Element} [T=HTMLElement]
 * @param {Element} root
 * @param {string} name
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function part(root, name, kind) {
  const found = root.querySelector(`[data-part="${name}"]`)
  return as(found, kind ?? /** @type {new () => any} */ (HTMLElement), `part ${name}`)
}

/**
 * One pair of a description list.
 * @param {string} term
 * @param {string} text
 */
export function termAndText(term, text) {
  const group = document.createElement('div')
  const name = document.createElement('dt')
  const value = document.createElement('dd')
  name.textContent = term
  value.textContent = text
  group.append(name, value)
  return group
}

/**
 * Scrolls to the end when `add` makes a list longer, unless its reader has scrolled up.
 * @param {HTMLElement} list
 * @param {() => void} add
 */
export function keepAtEnd(list, add) {
  const wasAtEnd = isAtEnd(list)
  add()
  if (wasAtEnd) list.scrollTop = list.scrollHeight
}

/**
 * Keeps the end in sight whatever grows or shrinks, unless the reader has scrolled up, until `signal` aborts.
 * @param {HTMLElement} list
 * @param {AbortSignal} signal
 */
export function stayAtEnd(list, signal) {
  let stays = true
  const follow = () => {
    if (stays) list.scrollTop = list.scrollHeight
  }
  const content = new MutationObserver(follow)
  const size = new ResizeObserver(follow)
  content.observe(list, { childList: true, subtree: true })
  size.observe(list)
  const notice = () => {
    stays = isAtEnd(list)
  }
  list.addEventListener('scroll', notice, { signal })
  signal.addEventListener('abort', () => {
    content.disconnect()
    size.disconnect()
  })
}

/** @param {HTMLElement} list */
function isAtEnd(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 48
}

/**
 * @template {Element} T
 * @param {unknown} found
 * @param {new () => T} kind
 * @param {string} what
 */
function as(found, kind, what) {
  if (found instanceof kind) return found
  throw new Error(`The page has no ${what} that is a ${kind.name}`)
}
