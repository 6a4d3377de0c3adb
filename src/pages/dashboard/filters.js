// @ts-check
/** The filters of the list as the query the API takes. */
import { byId } from '../shared/dom.js'

/** @import { Dialect } from '../shared/types.d.ts' */

/** @param {Dialect[]} dialects */
export function offerDialects(dialects) {
  byId('filter-dialect', HTMLSelectElement).append(...dialects.map(({ name }) => new Option(name)))
}

/** Fields are named as the API names them; empty ones are left out. @param {HTMLFormElement} form */
export function filterQuery(form) {
  const query = new URLSearchParams()
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue
    const value = field.value.trim()
    if (value !== '') query.set(field.name, field.type === 'datetime-local' ? utc(value) : value)
  }
  return query
}

/** Resets the form, and leaves the focus with its first field. @param {HTMLFormElement} form */
export function clearFilters(form) {
  form.reset()
  byId('filter-state', HTMLSelectElement).focus()
}

/** People fill in their own clock's time. @param {string} local */
function utc(local) {
  return new Date(local).toISOString()
}
